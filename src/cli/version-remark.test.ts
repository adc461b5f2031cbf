import assert from 'node:assert/strict'
import { test } from 'node:test'
import { versionRemark } from './version-remark.ts'

test('which of the two is older is told, and nothing where they are the same', () => {
  assert.equal(versionRemark('1.2.3', '1.2.3'), null)
  for (const [rack, own] of [
    ['0.9.0', '0.10.0'],
    ['1.0.0-rc.1', '1.0.1'],
    ['1.0.0+a', '1.0.0+b'],
  ] as const) {
    assert.match(versionRemark(rack, own)!, /^note: the rack is older .*: update it/)
    assert.match(versionRemark(own, rack)!, /^note: the rack is newer .*: update this/)
  }
})

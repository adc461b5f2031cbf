import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findGroup } from './find-group.ts'

test('a group of the machine has a number; what is none is told', async () => {
  assert.deepEqual(await findGroup('root'), { name: 'root', id: 0 })
  for (const name of ['no-such-group', '', '--help']) {
    await assert.rejects(findGroup(name), { code: 'invalid', hint: /getent group/ })
  }
})

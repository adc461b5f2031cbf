import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSameOrNewer, majorOf, seriesOf } from './versions.ts'

test('the numbers that a version begins with', () => {
  assert.equal(majorOf('15.4-alpine'), 15)
  assert.ok(Number.isNaN(majorOf('latest')))
  assert.equal(seriesOf('10.11.6-jammy'), '10.11')
  assert.equal(seriesOf('8'), '8')
  assert.equal(seriesOf('lts'), 'lts')
})

test('a dump goes into the same version or a newer one', () => {
  const cases: [string, string, number, boolean][] = [
    ['13', '15', 1, true],
    ['15', '13', 1, false],
    ['15.4', '15.1', 1, true],
    ['10.6', '10.11', 2, true],
    ['10.11', '10.6', 2, false],
    ['10.11', '11', 2, true],
    ['11.4', '11', 2, true],
    ['8.0', '8.4.2', 2, true],
    ['lts', 'lts', 2, true],
    ['lts', '8.4', 2, false],
    ['8.4', 'lts', 2, false],
  ]
  for (const [from, into, places, isTaken] of cases) {
    assert.equal(isSameOrNewer(from, into, places), isTaken, `${from} into ${into}`)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { separationOf, type PlacedCopy } from './placed.ts'

const subnet = '10.213.0.0/24'
const placed = (
  type: string,
  last: number,
  networks: string[] | null,
  more: Partial<PlacedCopy> = {},
): PlacedCopy => ({
  process: `P${last}`,
  type,
  address: `10.213.0.${last}`,
  networks,
  isEnclosed: false,
  isCopy: true,
  ...more,
})

/** The last numbers of the addresses that one reaches, in order. */
const reached = (all: PlacedCopy[], last: number) =>
  separationOf(all, subnet)
    ?.groups.find(({ members }) => members.includes(`10.213.0.${last}`))
    ?.reached.map((address) => Number(address.split('.').at(-1)))
    .sort((a, b) => a - b)

const web = placed('web', 2, ['front'])
const api = placed('api', 3, ['back', 'front'])
const db = placed('db', 4, ['back'], { isEnclosed: true })

test('who shares a network reaches each other, and who shares none does not', () => {
  const all = [web, api, db]
  assert.deepEqual(
    [2, 3, 4].map((last) => reached(all, last)),
    [
      [2, 3],
      [2, 3, 4],
      [3, 4],
    ],
  )
  assert.deepEqual(separationOf(all, subnet)?.enclosed, [db.address])
})

test('an app that no network keeps apart has no rules', () => {
  assert.equal(separationOf([placed('web', 2, null), placed('db', 3, null)], subnet), null)
  assert.equal(separationOf([], subnet), null)
})

test('while two releases of a type are there, each copy reaches whom either may; when one has left, it is as the other says', () => {
  const old = [placed('web', 12, null), placed('db', 14, null)]
  const all = [...old, web, api, db]
  for (const last of [2, 12]) assert.deepEqual(reached(all, last), [2, 3, 4, 12, 14], `${last} meanwhile`)
  assert.deepEqual(reached([web, api, db, placed('db', 14, null)], 2), [2, 3, 4, 14], 'an old db is left')
  assert.deepEqual(reached([web, api, db], 2), [2, 3])
})

test('a network may be called otherwise in the next release, and nobody loses whom he calls', () => {
  const next = [placed('web', 22, ['edge']), placed('api', 23, ['back', 'edge']), placed('db', 24, ['back'])]
  assert.deepEqual(reached([web, api, db, ...next], 2), [2, 3, 22, 23])
})

test('a one-off has its own networks alone, and widens those of no copy', () => {
  const run = placed('web', 32, null, { isCopy: false })
  assert.deepEqual(reached([web, api, db, run], 32), [2, 3, 4, 32])
  assert.deepEqual(reached([web, api, db, run], 2), [2, 3, 32])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../../../test/support/golden.ts'
import { managedPlaces as places } from '../../../../test/support/managed-places.ts'
import { redis } from '../../../services/types/redis.ts'
import { serviceTypes } from '../../../services/service-types.ts'
import { cacheEngines, cacheTemplate } from './cache-template.ts'

const size = { cpuUnits: 128, memoryBytes: 2 ** 28 }
const login = { username: 'shop_db_v1', rights: 'on ~shop:* &shop:* +@all -@admin' }

for (const [kind, version, logins] of [
  ['redis', '7', [login]],
  ['valkey', '8', []],
  ['memcached', '1.6', []],
] as const) {
  test(`the template of the stack of a ${kind}`, () => {
    const managed = { name: 'main', kind, version, identity: '0123456789abcdef', ...size }
    const template = cacheTemplate({ rack: 'r1', managed, places, logins })
    assertGolden(`aws/${kind}-stack.json`, `${JSON.stringify(template, null, 2)}\n`)
  })
}

test('a type knows the series of versions that ElastiCache has, and each of them by a version of ElastiCache', () => {
  const known = serviceTypes.flatMap(({ name, managed }) => (managed?.series ? [[name, managed.series]] : []))
  const engines = Object.entries(cacheEngines)
  assert.deepEqual(
    Object.fromEntries(known),
    Object.fromEntries(engines.map(([kind, { versions }]) => [kind, Object.keys(versions)])),
  )
  for (const [, { versions }] of engines)
    for (const [series, version] of Object.entries(versions)) assert.ok(version.startsWith(`${series}.`))
})

test('no cache lets in more users than ElastiCache has, of whom the administrator is one', () => {
  const managed = { name: 'main', kind: 'redis', version: '7', ...size }
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ ...login, username: `shop_db_v${index}` }))
  const of = (count: number) => cacheTemplate({ rack: 'r1', managed, places, logins: many(count) })
  assert.doesNotThrow(() => of(99))
  assert.throws(() => of(100), /ElastiCache lets 99 logins into main/)
})

test('what is let in fits into a template of CloudFormation, or is refused', () => {
  const managed = { name: 'main', kind: 'redis', version: '7', identity: '0123456789abcdef', ...size }
  const of = (count: number, prefix: string) => {
    const logins = Array.from({ length: count }, (_, index) => ({
      username: `shop_number_${index}_v1`.padEnd(32, 'x'),
      rights: redis.managed!.rights!(prefix),
    }))
    return cacheTemplate({ rack: 'production', managed, places, logins })
  }
  const bytes = (template: object) => JSON.stringify(template).length
  assert.ok(bytes(of(99, 'a'.repeat(10))) < 51_200)
  assert.ok(bytes(of(75, 'a'.repeat(80))) < 51_200)
  // The longest that a link may have.
  assert.ok(bytes(of(73, 'a'.repeat(100))) < 51_200)
  for (const count of [74, 99])
    assert.throws(() => of(count, 'a'.repeat(100)), {
      message: `a stack has room for 73 of the ${count} logins, of such prefixes, of main`,
      code: 'capacity',
    })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findServiceType, serviceTypes } from './service-types.ts'

test('a type is found by its name and by other words, each of which is one type', () => {
  const words = serviceTypes.flatMap(({ name, aliases }) => [name, ...aliases])
  assert.equal(new Set(words).size, words.length)
  for (const type of serviceTypes) {
    for (const word of [type.name, ...type.aliases]) assert.equal(findServiceType(word), type)
  }
  assert.equal(findServiceType('postgrs'), null)
})

for (const { name, versions, logins, ready, console: open, data, native, hosted, ...type } of serviceTypes) {
  test(`${name}: what is in arguments is no secret, and its usual version is known`, () => {
    const secret = 'a-password-of-a-login'
    const login = { data: 'shop_db', username: 'shop_db_v1', password: secret, keyPrefix: null }
    const place = {
      host: 'db.example.com',
      port: 1234,
      authority: 'db.example.com:1234',
      username: 'app',
      password: secret,
      data: 'shop',
      query: `?password=${secret}`,
      isEncrypted: true,
    }
    const client = hosted?.(place)
    const parts = data?.parts(client && client.data !== '' ? [client.data] : []) ?? []
    const all = [
      client?.version,
      ...(client ? parts.map((part) => client.dump(part.name)) : []),
      ready,
      open?.('shop_db'),
      logins?.create(login),
      logins?.revoke(login),
      logins?.prove(login),
      ...(typeof native === 'string'
        ? []
        : [native.dump('shop_db'), native.contents('shop_db'), native.load?.('shop_db', true)]),
      ...(data?.parts(['shop_db']).map(({ dump }) => dump) ?? []),
    ]
    for (const inside of all) assert.ok(!inside?.command.some((word) => word.includes(secret)))
    if (logins) assert.deepEqual(logins.create(login).secrets.length > 0, true)
    assert.ok(versions.known.length === 0 || versions.known.includes(versions.usual))
    assert.ok(type.cpuUnits > 0 && type.memoryBytes > 0)
  })
}

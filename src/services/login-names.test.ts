import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkUser, loginNames } from './login-names.ts'

test('names say whose they are', () => {
  assert.deepEqual(loginNames({ app: 'shop', alias: 'main-db' }, 3), {
    data: 'shop_main-db',
    username: 'shop_main-db_v3',
  })
})

test('users of the server itself, and of people as a rule, are none of links', () => {
  for (const name of ['postgres', 'root', 'default', 'rack', 'reports', 'reports_v2', 'a_b_v', '']) {
    assert.equal(isLinkUser(name), false, name)
  }
})

test('long names are cut, fit every type, and are told apart', () => {
  const link = { app: 'a-name-of-thirty-characters-xx', alias: 'database-of-orders' }
  const { data, username } = loginNames(link, 12)
  assert.match(data, /^a-name-of-thirty-ch/)
  assert.match(username, /_v12$/)
  assert.notEqual(data, loginNames({ ...link, alias: 'database-of-orders-2' }, 12).data)
})

test('no two links or versions share a name', () => {
  const app = fc.stringMatching(/^[a-z][a-z0-9-]{2,29}$/)
  const alias = fc.stringMatching(/^[a-z][a-z0-9_-]{0,62}$/)
  const link = fc.record({ app, alias })
  const version = fc.integer({ min: 1, max: 100_000 })
  fc.assert(
    fc.property(link, link, version, version, (a, b, left, right) => {
      const [one, other] = [loginNames(a, left), loginNames(b, right)]
      assert.ok(one.data.length <= 32 && one.username.length <= 32)
      const isSame = a.app === b.app && a.alias === b.alias
      assert.equal(one.data === other.data, isSame)
      assert.equal(one.username === other.username, isSame && left === right)
      assert.ok(isLinkUser(one.username) && isLinkUser(loginNames({ ...a, app: '' }, left).username))
    }),
  )
})

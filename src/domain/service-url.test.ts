import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RackError } from './error.ts'
import { linkUrl } from './link.ts'
import { parseServiceUrl } from './service-url.ts'

test('a URL is read into its parts', () => {
  assert.deepEqual(parseServiceUrl('postgres://app:s3cret@db.example.com:5433/shop?sslmode=require\n'), {
    scheme: 'postgres',
    host: 'db.example.com',
    port: 5433,
    username: 'app',
    password: 's3cret',
    path: '/shop',
    query: '?sslmode=require',
  })
})

const passwords = ['p@ss', 'a:b', '100%', '%zz', 'with blank', 'größe-日本', '%40%2F%3F%23', 'x@y:z']
for (const password of passwords) {
  test(`a password as people type it: ${password}`, () => {
    const found = parseServiceUrl(`postgres://app:${password}@db:5432/shop`)
    assert.equal(found.password, password.startsWith('%40') ? '@/?#' : password)
    assert.equal(found.host, 'db')
    // What is handed on is encoded, and reads as the same.
    assert.deepEqual(parseServiceUrl(linkUrl(found)), found)
    assert.equal(decodeURIComponent(new URL(linkUrl(found)).password), found.password)
  })
}

const places: [string, string, number, string][] = [
  ['postgres://db.example.com/shop', 'db.example.com', 5432, 'postgres://db.example.com/shop'],
  ['REDIS://:s3cret@[::1]:6380/0', '::1', 6380, 'redis://:s3cret@[::1]:6380/0'],
  ['mongodb://u:p@a:1,b:2/shop?replicaSet=r', 'a', 1, 'mongodb://u:p@a:1,b:2/shop?replicaSet=r'],
  [
    'mongodb+srv://u:p@cluster.example.net/x',
    'cluster.example.net',
    27017,
    'mongodb+srv://u:p@cluster.example.net/x',
  ],
  ['https://key@errors.example.com/42', 'errors.example.com', 443, 'https://key@errors.example.com/42'],
  ['https://example.com:8443/me@x', 'example.com', 8443, 'https://example.com:8443/me@x'],
  ['tcp://10.0.0.7:9000', '10.0.0.7', 9000, 'tcp://10.0.0.7:9000'],
]
for (const [url, host, port, again] of places) {
  test(`where it leads: ${url}`, () => {
    const found = parseServiceUrl(url)
    assert.deepEqual([found.host, found.port, linkUrl(found)], [host, port, again])
  })
}

const refused: [string, RegExp][] = [
  ['', /scheme/],
  ['db.example.com:5432', /scheme/],
  ['postgres://', /host/],
  ['postgres://app:s3cret@', /host/],
  ['postgres://app:s3cret@db:port/x', /host/],
  ['postgres://app:s3cret@db:99999/x', /port/],
  ['postgres://app:s3cret@db:0/x', /port/],
  ['postgres://app:s3/cret@db/x', /@ behind/],
  ['postgres://app:s3?cret@db/x', /@ behind/],
  ['postgres://app:12/3456@db/x', /@ behind/],
  ['own://app:s3cret@db/x', /no port/],
  ['postgres://app:s3cret\n@db/x', /line break/],
  [`postgres://app:${'s3cret'.repeat(2000)}@db/x`, /longer/],
]
for (const [url, message] of refused) {
  test(`refused without repeating it: ${url.slice(0, 40)}`, () => {
    assert.throws(
      () => parseServiceUrl(url),
      (error: unknown) => {
        assert.ok(error instanceof RackError && error.code === 'invalid')
        assert.match(error.message, message)
        assert.doesNotMatch(`${error.message} ${error.hint}`, /s3|cret|12\/3/)
        return true
      },
    )
  })
}

test('whatever the name and password, what is encoded comes back', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((word) => word.isWellFormed())
  fc.assert(
    fc.property(text, text, (username, password) => {
      const address = { scheme: 'postgres', host: 'db', port: 5432, path: '/x', username, password }
      assert.deepEqual(parseServiceUrl(linkUrl(address)), address)
    }),
  )
})

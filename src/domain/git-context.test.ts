import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gitContextOf, hasCredentials, isFetched, isPinned } from './git-context.ts'

test('an address is read as Docker reads it, and lies in a place of its own', () => {
  const table: [text: string, url: string, ref: string, folder: string][] = [
    ['https://example.com/a/shop.git', 'https://example.com/a/shop.git', '', ''],
    ['https://example.com/shop.git#v1.2', 'https://example.com/shop.git', 'v1.2', ''],
    [
      'https://example.com/shop.git#feature/x:docker/web',
      'https://example.com/shop.git',
      'feature/x',
      'docker/web',
    ],
    ['https://example.com/shop.git#:web', 'https://example.com/shop.git', '', 'web'],
    ['git@example.com:a/shop.git#main', 'git@example.com:a/shop.git', 'main', ''],
    ['ssh://git@example.com/shop', 'ssh://git@example.com/shop', '', ''],
    ['git://example.com/shop', 'git://example.com/shop', '', ''],
    ['github.com/a/shop', 'https://github.com/a/shop.git', '', ''],
  ]
  for (const [text, url, ref, folder] of table) {
    const { place = '', ...found } = gitContextOf(text) ?? {}
    assert.deepEqual(found, { url, ref, folder }, text)
    assert.match(place, /^\.rack\/git\/shop-[0-9a-f]{8}$/)
    assert.ok(isFetched(place))
  }
  const places = ['a/shop.git', 'a-shop.git', 'a/shop.git#b'].map(
    (end) => gitContextOf(`https://x.com/${end}`)?.place,
  )
  assert.equal(new Set(places).size, 3)
})

test('what is no repository, and what would be an option of git, is none', () => {
  for (const text of [
    'https://example.com/shop.tar.gz',
    'https://example.com/shop.git#--upload-pack=x',
    'https://example.com/shop.git#a:b:c',
    'https://example.com/sh op.git',
    'ext::sh -c evil',
    'file:///srv/shop.git',
    './shop',
  ])
    assert.equal(gitContextOf(text), null, text)
  assert.deepEqual(['.rack/git/x', '.rack/git', '.rack/gitx', '.rack', 'src'].map(isFetched), [
    true,
    true,
    false,
    false,
    false,
  ])
})

test('a credential in an address is seen, and a commit', () => {
  const table: [url: string, has: boolean][] = [
    ['https://token@example.com/a.git', true],
    ['https://user:password@example.com/a.git', true],
    ['ssh://git:password@example.com/a.git', true],
    ['ssh://git@example.com/a.git', false],
    ['https://example.com/a@b.git', false],
    ['git@example.com:a.git', false],
  ]
  for (const [url, has] of table) assert.equal(hasCredentials({ url }), has, url)
  assert.deepEqual(
    [isPinned({ ref: 'a'.repeat(40) }), isPinned({ ref: 'a'.repeat(39) }), isPinned({ ref: '' })],
    [true, false, false],
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packTar, unpackTar, type TarEntry } from '../../test/support/tar.ts'
import { tarEnd } from '../lib/tar-blocks.ts'
import { readSourceContent } from './source-content.ts'

const signal = new AbortController().signal
const named = { contexts: [], withheld: ['web.env'] }

const contentOf = (files: TarEntry[]) => readSourceContent(() => packTar(files), named, signal)

async function laidAt(files: TarEntry[], source: string, path = '/at'): Promise<string[]> {
  const { open } = (await contentOf(files)).take(source, path)
  const whole = async function* () {
    yield* open({ uid: 7, gid: 8 })
    yield tarEnd()
  }
  const found = await unpackTar(whole())
  return found.map(({ name, type, mode, uid, gid, linkname, content }) =>
    [name, type, mode.toString(8), `${uid}:${gid}`, linkname ?? content].join(' ').trim(),
  )
}

const files: TarEntry[] = [
  { name: '.dockerignore', content: 'html/draft*\ndata\n' },
  { name: 'html/index.html', content: 'page', mode: 0o640 },
  { name: 'html/draft.html', content: 'no' },
  { name: 'html/.env', content: 'no' },
  { name: 'html/link', linkname: 'index.html' },
  { name: 'data/rows', content: 'no' },
  { name: 'empty/.gitkeep' },
  { name: 'web.env', content: 'TOKEN=x' },
  { name: 'current', linkname: 'html' },
  { name: 'away', linkname: '../../etc' },
  { name: 'round', linkname: 'round' },
]

test('what a source has at a path', async () => {
  const content = await contentOf(files)
  const table = {
    html: 'folder',
    'html/index.html': 'file',
    'html/draft.html': 'file',
    current: 'folder',
    'current/index.html': 'file',
    '.': 'folder',
    data: 'ignored',
    empty: 'empty',
    'web.env': 'withheld',
    none: 'nothing',
    '../up': 'nothing',
    away: 'outside',
    round: 'outside',
  }
  const found = Object.keys(table).map((path) => [path, content.placeOf(path)])
  assert.deepEqual(Object.fromEntries(found), table)
})

test('a folder is laid with modes and links, without what is left out of it; a file itself', async () => {
  const expected = [
    './at/ directory 755 7:8',
    './at/index.html file 640 7:8 page',
    './at/link symlink 644 7:8 index.html',
  ]
  assert.deepEqual(await laidAt(files, 'html'), expected)
  assert.deepEqual(await laidAt(files, 'current'), expected)
  assert.deepEqual(await laidAt(files, 'html/draft.html', '/etc/x.conf'), ['./etc/x.conf file 644 7:8 no'])
})

test('the digest tells names, modes, links and contents apart, and nothing else', async () => {
  const digestOf = async (entries: TarEntry[]) => (await contentOf(entries)).take('html', '/at').digest
  const digest = await digestOf(files)
  const changed = (name: string, change: Partial<TarEntry>) =>
    files.map((entry) => (entry.name === name ? { ...entry, ...change } : entry))
  assert.equal(await digestOf(changed('data/rows', { content: 'more' })), digest)
  assert.equal(await digestOf(changed('html/draft.html', { content: 'more' })), digest)
  assert.equal(await digestOf(files.toReversed()), digest)
  for (const change of [
    changed('html/index.html', { content: 'other' }),
    changed('html/index.html', { mode: 0o600 }),
    changed('html/index.html', { name: 'html/page.html' }),
    changed('html/link', { linkname: 'elsewhere' }),
  ])
    assert.notEqual(await digestOf(change), digest)
})

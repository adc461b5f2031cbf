import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { packTar, unpackTar, type TarEntry } from '../../test/support/tar.ts'
import { RackError } from '../domain/error.ts'
import { hashOfSource, mergedSource, wholeSource, type KnownSource } from './uploaded-source.ts'

const hashOf = (content: string) => hash('sha256', content, 'base64url')
const { signal } = new AbortController()
const all = () => true

/** A kept source of files by path. */
function known(files: Record<string, string>): KnownSource {
  const entries = Object.entries(files)
  return {
    files: entries.map(([path, content]) => ({ path, size: content.length, hash: hashOf(content) })),
    open: () => packTar(entries.map(([name, content]) => ({ name, content }))),
  }
}

const unchanged = (...files: unknown[]): TarEntry => ({
  name: 'unchanged.json',
  content: JSON.stringify({ files }),
})
const merge = (entries: TarEntry[], from: KnownSource, maxBytes = 1000) =>
  mergedSource(() => packTar(entries), from, maxBytes)

async function refusal(making: Promise<unknown>): Promise<RackError> {
  const error: unknown = await making.then(
    () => assert.fail('it went through'),
    (caught: unknown) => caught,
  )
  assert.ok(error instanceof RackError, String(error))
  return error
}

test('what is not sent comes from the known source, under its new name and mode', async () => {
  const source = await merge(
    [
      unchanged(['moved.js', 0o755, 7, hashOf('one')], ['b.js', 0o644, 8, hashOf('two')]),
      { name: 'source/new.js', content: 'three' },
    ],
    known({ 'a.js': 'one', 'b.js': 'two', 'gone.js': 'gone' }),
  )
  assert.equal(source.unchanged, 2)
  const found = await unpackTar(source.open())
  assert.deepEqual(
    found.map(({ name, mode, mtime, content }) => [name, mode, Number(mtime) / 1000, content]).slice(1),
    [
      ['moved.js', 0o755, 7, 'one'],
      ['b.js', 0o644, 8, 'two'],
    ],
  )
  assert.equal(found[0]?.content, 'three')
  const wanted = await unpackTar(source.open((path) => path === 'b.js'))
  assert.deepEqual(
    wanted.map(({ name }) => name),
    ['b.js'],
  )
})

test('a source has one hash, whether all of it was sent or some', async () => {
  const files = { 'a.js': 'one', 'b/c.js': 'two' }
  const whole = wholeSource(() =>
    packTar(Object.entries(files).map(([name, content]) => ({ name: `source/${name}`, content }))),
  )
  const some = await merge(
    [unchanged(['b/c.js', 0o644, 1, hashOf('two')]), { name: 'source/a.js', content: 'one' }],
    known({ 'was.js': 'two' }),
  )
  const hashes = await Promise.all(
    [whole, some].map(async (source) => hashOfSource(await source.list(all, signal))),
  )
  assert.equal(hashes[0], hashes[1])
  const other = await merge([unchanged(['b/c.js', 0o755, 1, hashOf('two')])], known({ 'was.js': 'two' }))
  assert.notEqual(hashOfSource(await other.list(all, signal)), hashes[0])
})

test('a content that is not there is refused, however it is asked for', async () => {
  const from = known({ 'a.js': 'one' })
  const guessed = await refusal(merge([unchanged(['x', 0o644, 0, hashOf('a secret of another app')])], from))
  assert.equal(guessed.code, 'gone')
  const twice = [
    ['x', 0o644, 0, hashOf('one')],
    ['y', 0o644, 0, hashOf('one')],
  ]
  assert.equal((await refusal(merge([unchanged(...twice)], from))).code, 'gone')
  assert.equal((await refusal(merge([unchanged(twice[0])], from, 2))).code, 'too-large')
  const damaged = { ...from, open: () => packTar([]) }
  const source = await merge([unchanged(twice[0])], damaged)
  assert.equal((await refusal(unpackTar(source.open()))).code, 'gone')
})

test('a list that cannot be one is refused, and so is none', async () => {
  const good = hashOf('one')
  const wrong: TarEntry[][] = [
    [],
    [{ name: 'source/a.js', content: 'one' }],
    [{ name: 'unchanged.json', content: '{' }],
    [{ name: 'unchanged.json', content: '{"files":7}' }],
    [unchanged(null)],
    [unchanged(['../a', 0o644, 0, good])],
    [unchanged(['/a', 0o644, 0, good])],
    [unchanged(['', 0o644, 0, good])],
    [unchanged(['a', -1, 0, good])],
    [unchanged(['a', 0o644, 0.5, good])],
    [unchanged(['a', 0o644, 0, 7])],
  ]
  for (const entries of wrong) {
    assert.equal((await refusal(merge(entries, known({ 'a.js': 'one' })))).code, 'invalid')
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack, type Header } from 'tar-stream'
import { RackError } from '../domain/error.ts'
import { unpackTar } from '../../test/support/tar.ts'
import { readManifestSource, sourceTar } from './source-upload.ts'

type Entry = [header: Partial<Header> & { name: string }, content?: string | Buffer]

/** Whole before it is read, so that a reader may leave it. */
async function* tarOf(entries: Entry[]): AsyncGenerator<Uint8Array> {
  const tar = pack()
  for (const [header, content = ''] of entries) tar.entry(header, content)
  tar.finalize()
  const bytes = Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Uint8Array>))
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

const index = (value: unknown): Entry => [{ name: 'manifest/index.json' }, JSON.stringify(value)]
const compose: Entry = [{ name: 'manifest/files/compose.yml' }, 'services: {}\n']

async function refusal(reading: Promise<unknown>): Promise<RackError> {
  const error: unknown = await reading.then(
    () => assert.fail('it went through'),
    (caught: unknown) => caught,
  )
  assert.ok(error instanceof RackError, String(error))
  return error
}

test('an index of other types is told, never stumbled over', async () => {
  const table: [index: unknown, message: RegExp][] = [
    [null, /index\.json cannot be used: it is not an object/],
    [[], /it is not an object/],
    ['files', /it is not an object/],
    [{ files: 'compose.yml' }, /`files` is not a list of paths/],
    [{ files: null }, /`files` is not a list of paths/],
    [{ files: ['compose.yml'], texts: [1] }, /`texts` is not a list of paths/],
    [{ files: ['compose.yml'], contents: { a: 1 } }, /`contents` is not a list of paths/],
    [{ files: ['compose.yml'], dotenv: 'yes' }, /`dotenv` is not true or false/],
    [{ files: ['compose.yml'], places: ['html'] }, /`places` is not an object of what is where/],
    [{ files: ['compose.yml'], places: { html: 'dir' } }, /`places` is not an object of what is where/],
    [{ files: ['compose.yml'], dotenv: true }, /names dotenv but does not hold it/],
  ]
  for (const [value, message] of table) {
    const { code, message: said } = await refusal(readManifestSource(tarOf([index(value), compose])))
    assert.equal(code, 'invalid', JSON.stringify(value))
    assert.match(said, message)
  }
  const cut: Entry = [{ name: 'manifest/index.json' }, '{"files": [']
  assert.match((await refusal(readManifestSource(tarOf([cut])))).message, /is not JSON/)
})

test('the files of a manifest are bounded together, each entry counted although it is empty', async () => {
  let read = 0
  const counted = async function* (entries: Entry[]) {
    for await (const chunk of tarOf(entries)) {
      read += chunk.length
      yield chunk
    }
  }
  const large = Buffer.alloc(2 ** 20)
  const many = Array.from({ length: 24 }, (_, at): Entry => [{ name: `manifest/files/${at}` }, large])
  const error = await refusal(readManifestSource(counted(many)))
  assert.deepEqual(
    [error.code, error.message],
    ['too-large', 'the files of the manifest are larger than 16 MiB together'],
  )
  assert.ok(read < 20 * 2 ** 20, `${read} bytes were read`)
  const empty = Array.from({ length: 33_000 }, (_, at): Entry => [{ name: `manifest/files/${at}` }])
  assert.equal((await refusal(readManifestSource(tarOf(empty)))).code, 'too-large')
  const [first] = many
  const long: Entry = [first![0], Buffer.alloc(2 ** 20 + 1)]
  assert.match((await refusal(readManifestSource(tarOf([long])))).message, /files\/0 is larger than 1 MiB/)
})

test('a path that the index names again and again is one text', async () => {
  const again = Array.from({ length: 50_000 }, () => 'large')
  const large: Entry = [{ name: 'manifest/files/large' }, Buffer.alloc(2 ** 20, 'a')]
  const entries = [index({ files: ['compose.yml'], texts: again, contents: again }), compose, large]
  const { texts, contents } = await readManifestSource(tarOf(entries))
  assert.deepEqual(
    [Object.keys(texts), Object.keys(contents), texts.large?.length],
    [['large'], ['large'], 2 ** 20],
  )
})

test('what is no file is no part of a manifest', async () => {
  for (const type of ['symlink', 'link', 'fifo', 'character-device', 'directory'] as const) {
    const entry: Entry = [{ name: 'manifest/files/compose.yml', type, linkname: '/etc/passwd' }]
    const { code, message } = await refusal(
      readManifestSource(tarOf([index({ files: ['compose.yml'] }), entry])),
    )
    assert.deepEqual([code, message.endsWith(' of the upload is no file')], ['invalid', true], type)
  }
})

test('a source has files, folders and links; devices and pipes are refused by name', async () => {
  const good: Entry[] = [
    [{ name: 'source/a' }, 'a'],
    [{ name: 'source/d', type: 'directory' }],
    [{ name: 'source/l', type: 'symlink', linkname: 'a' }],
  ]
  const names = (await unpackTar(sourceTar(tarOf(good)))).map(({ name }) => name)
  assert.deepEqual(names, ['a', 'd', 'l'])
  for (const type of ['fifo', 'character-device', 'block-device'] as const) {
    const entries: Entry[] = [...good, [{ name: 'source/odd', type, devmajor: 1, devminor: 3 }]]
    const error = await refusal(unpackTar(sourceTar(tarOf(entries))))
    assert.deepEqual(
      [error.code, error.message],
      ['invalid', 'odd of the upload is no file, folder or link'],
      type,
    )
    const unwanted = sourceTar(tarOf(entries), (path) => path !== 'odd')
    assert.equal((await unpackTar(unwanted)).length, good.length)
  }
})

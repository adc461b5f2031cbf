import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { tarEnd, tarHead, tarPadding } from './tar-blocks.ts'
import { TruncatedTarError, wholeTar } from './tar-watch.ts'

const modified = new Date(0)

function file(name: string, content: Buffer): Buffer {
  const head = tarHead({ name, type: 'file', mode: 0o644, size: content.length, modified })
  return Buffer.concat([head, content, tarPadding(content.length)])
}

async function pass(archive: Buffer, pieceBytes: number): Promise<Buffer> {
  async function* pieces() {
    for (let at = 0; at < archive.length; at += pieceBytes) yield archive.subarray(at, at + pieceBytes)
  }
  return Buffer.concat(await Array.fromAsync(wholeTar(pieces())))
}

const body = Buffer.concat([
  tarHead({ name: 'folder', type: 'directory', mode: 0o755, size: 0, modified }),
  file('folder/empty', Buffer.alloc(0)),
  file('folder/zeros', Buffer.alloc(5000)),
  // A name that needs a pax header.
  file(`folder/${'long'.repeat(60)}ä`, randomBytes(700)),
])
const archive = Buffer.concat([body, tarEnd()])

for (const pieceBytes of [1, 511, 512, 4096, 1_000_000]) {
  test(`a whole archive passes unchanged in pieces of ${pieceBytes} bytes`, async () => {
    assert.ok((await pass(archive, pieceBytes)).equals(archive))
  })
}

for (const [where, length] of [
  ['in nothing at all', 0],
  ['in a header', 100],
  ['between two entries', 1024],
  ['in a content', 2048],
  ['before the mark of the end', body.length],
] as const) {
  test(`an archive that ends ${where} is not whole`, async () => {
    await assert.rejects(pass(archive.subarray(0, length), 333), TruncatedTarError)
  })
}

test('a size that only a pax header tells is believed', async () => {
  const content = randomBytes(3000)
  const record = Buffer.from('13 size=3000\n')
  const pax = tarHead({ name: 'pax', type: 'file', mode: 0o644, size: record.length, modified })
  pax.write('x', 156)
  const head = tarHead({ name: 'big', type: 'file', mode: 0o644, size: 0, modified })
  const parts = [pax, record, tarPadding(record.length), head, content, tarPadding(content.length), tarEnd()]
  const whole = Buffer.concat(parts)
  assert.ok((await pass(whole, 700)).equals(whole))
  await assert.rejects(pass(whole.subarray(0, 2048), 700), TruncatedTarError)
})

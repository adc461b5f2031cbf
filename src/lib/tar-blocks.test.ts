import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readTar } from './tar.ts'
import { tarEnd, tarHead, tarPadding, type TarHead } from './tar-blocks.ts'

async function readBack(entries: { head: TarHead; content: Buffer }[]) {
  const bytes = entries.flatMap(({ head, content }) => [tarHead(head), content, tarPadding(content.length)])
  const found = []
  const source = async function* () {
    yield Buffer.concat([...bytes, tarEnd()])
  }
  for await (const { header, content } of readTar(source())) {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    found.push({ header, content: Buffer.concat(chunks).toString() })
  }
  return found
}

const modified = new Date('2026-11-20T10:00:00Z')
const file = (name: string, content: string) => ({
  head: { name, type: 'file' as const, mode: 0o750, size: Buffer.byteLength(content), modified },
  content: Buffer.from(content),
})

test('another reader finds names, modes, times and content', async () => {
  const nothing = Buffer.alloc(0)
  const folder = {
    head: { name: 'bin', type: 'directory' as const, mode: 0o755, size: 0, modified },
    content: nothing,
  }
  const link = {
    head: { name: 'here', type: 'symlink' as const, mode: 0o777, size: 0, modified, linkname: '../there' },
    content: nothing,
  }
  const [first, second, third] = await readBack([folder, file('bin/run', '#!/bin/sh\n'), link])
  assert.equal(first!.header.name, 'bin/')
  assert.equal(first!.header.type, 'directory')
  assert.deepEqual(
    [second!.header.name, second!.header.mode, second!.content],
    ['bin/run', 0o750, '#!/bin/sh\n'],
  )
  assert.equal(second!.header.mtime?.toISOString(), modified.toISOString())
  assert.deepEqual([third!.header.type, third!.header.linkname], ['symlink', '../there'])
})

test('long names, names that are not ASCII and long links come back', async () => {
  const long = `${'deep/'.repeat(60)}file`
  const linkname = `../${'x'.repeat(150)}`
  const link = {
    head: { name: 'ünï', type: 'symlink' as const, mode: 0o777, size: 0, modified, linkname },
    content: Buffer.alloc(0),
  }
  const [first, second, third] = await readBack([file(long, 'a'), link, file('日本', 'b')])
  assert.deepEqual([first!.header.name, first!.content], [long, 'a'])
  assert.deepEqual([second!.header.name, second!.header.linkname], ['ünï', linkname])
  assert.equal(third!.header.name, '日本')
})

test('any name of any length comes back', async () => {
  const name = fc
    .string({ minLength: 1, maxLength: 300, unit: 'grapheme' })
    .filter((text) => !/[\0\n/]/.test(text))
  await fc.assert(
    fc.asyncProperty(name, fc.string({ maxLength: 2000 }), async (name, content) => {
      const [found, ...more] = await readBack([file(name, content)])
      assert.deepEqual([found!.header.name, found!.content, more.length], [name, content, 0])
    }),
    { numRuns: 60 },
  )
})

test('an owner comes back by number; one that seven octal digits cannot hold is in the pax header', async () => {
  const owned = (uid: number, gid: number) => {
    const { head, content } = file('key', 'a')
    return { head: { ...head, uid, gid }, content }
  }
  const found = await readBack([file('root', ''), owned(1000, 70)])
  assert.deepEqual(
    found.map(({ header }) => [header.uid, header.gid]),
    [
      [0, 0],
      [1000, 70],
    ],
  )
  const large = tarHead(owned(4_294_967_294, 3_000_000).head).toString('latin1')
  assert.match(large, / uid=4294967294\n[^]* gid=3000000\n/)
})

test('a size that eleven octal digits cannot hold is in the pax header', () => {
  const head = tarHead({ name: 'huge', type: 'file', mode: 0o644, size: 9 * 2 ** 30, modified })
  assert.match(head.toString('latin1'), / size=9663676416\n/)
})

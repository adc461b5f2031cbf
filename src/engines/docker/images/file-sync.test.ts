import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesAt, numberAt, numberField, readFields, textAt } from '../../../lib/protobuf.ts'
import { packTar, type TarEntry } from '../../../../test/support/tar.ts'
import { syncFolder } from './file-sync.ts'

interface Stat {
  path: string
  /** As Go writes it. */
  mode: string
  size: number
}

const ask = (number: number) => Buffer.concat([numberField(1, 1), numberField(3, number)])
const finish = numberField(1, 3)

/** Takes the list, asks for each of the numbers when it is through, and says that it is done when it has all. */
async function take(entries: TarEntry[], wish: (stats: Stat[]) => number[]) {
  const flow = syncFolder(() => packTar(entries))
  const stats: Stat[] = []
  const contents = new Map<number, string>()
  let open = 0
  let isFinished = false
  for await (const message of flow.output) {
    const fields = readFields(message)
    const type = numberAt(fields, 1)
    const [stat] = bytesAt(fields, 2)
    if (type === 0 && stat) {
      const facts = readFields(stat)
      const mode = (numberAt(facts, 2) >>> 0).toString(8)
      stats.push({ path: textAt(facts, 1), mode, size: numberAt(facts, 5) })
    } else if (type === 0) {
      const wishes = wish(stats)
      open = wishes.length
      for (const number of wishes) flow.take(ask(number))
      if (open === 0) flow.take(finish)
    } else if (type === 2) {
      const number = numberAt(fields, 3)
      const text = textAt(fields, 4)
      contents.set(number, (contents.get(number) ?? '') + text)
      if (text === '' && --open === 0) flow.take(finish)
    } else isFinished = type === 3
  }
  assert.ok(isFinished, 'it says that it is done too')
  return { stats, contents }
}

const entries: TarEntry[] = [
  { name: 'b/deep/file', content: 'far', mode: 0o4755 },
  { name: 'a-b', content: 'x' },
  { name: 'a/link', linkname: '../a-b' },
  { name: './a/ünïcödé', content: 'odd' },
]

test('the list comes folder by folder, by the bytes of names, with the folders that no entry names', async () => {
  const { stats } = await take(entries, () => [])
  assert.deepEqual(
    stats.map(({ path }) => path),
    ['a', 'a/link', 'a/ünïcödé', 'a-b', 'b', 'b/deep', 'b/deep/file'],
  )
  const of = (path: string) => stats.find((stat) => stat.path === path)
  assert.equal(of('a')?.mode, (2 ** 31 + 0o755).toString(8))
  assert.equal(of('b/deep/file')?.mode, (2 ** 23 + 0o755).toString(8))
  assert.equal(Number.parseInt(of('a/link')?.mode ?? '', 8) & (2 ** 27), 2 ** 27)
  assert.equal(of('a-b')?.size, 1)
})

test('contents come as they are asked for, in whatever order', async () => {
  const { contents } = await take(entries, (stats) =>
    ['b/deep/file', 'a/ünïcödé', 'a-b'].map((path) => stats.findIndex((stat) => stat.path === path)),
  )
  assert.deepEqual([...contents.values()].toSorted(), ['far', 'odd', 'x'])
})

test('who goes away in the middle ends it', async () => {
  const flow = syncFolder(() => packTar([{ name: 'a', content: 'x' }]))
  flow.end()
  const messages = await Array.fromAsync(flow.output)
  assert.equal(messages.length, 3, 'one entry, the end of the list and the end')
})

test('a source that lacks what it had ends with that', async () => {
  let passes = 0
  const flow = syncFolder(() => packTar(passes++ === 0 ? [{ name: 'a', content: 'x' }] : []))
  await assert.rejects(async () => {
    for await (const message of flow.output) {
      const fields = readFields(message)
      if (numberAt(fields, 1) === 0 && bytesAt(fields, 2).length === 0) flow.take(ask(0))
    }
  }, /has changed while it was read/)
})

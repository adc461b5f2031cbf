import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Control, Progress } from '../domain/control.ts'
import type { Objects } from '../domain/objects.ts'
import { RackError } from '../domain/error.ts'
import { openObjects } from '../objects/directory.ts'
import { createBuildLogs, type BuildLogs } from './build-logs.ts'
import { createLogParts } from './log-parts.ts'

const control: Control = { signal: new AbortController().signal, report: () => undefined }
const line = (text: string): Progress => ({ type: 'log', text, time: '2026-01-01T00:00:00Z' })

async function openPlace() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-build-logs-'))
  const objects = await openObjects(join(directory.path, 'objects'))
  return {
    objects,
    keys: () => Array.fromAsync(objects.list(''), ({ key }) => key),
    [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
  }
}

const openLogs = (objects: Objects, troubled?: (build: string) => void) =>
  createBuildLogs(createLogParts(objects), troubled)

async function read(logs: BuildLogs, follow: boolean): Promise<string[]> {
  const all = await Array.fromAsync(logs.read('shop', 'B', { follow }, control))
  return all.map((progress) => (progress.type === 'log' ? progress.text : progress.phase))
}

/** Writes the lines one after the other, each when the one before it has been read by a follower. */
async function writeFollowed(logs: BuildLogs, texts: string[]) {
  const writer = logs.open('shop', 'B')
  const followed: string[] = []
  const reading = logs.read('shop', 'B', { follow: true }, control)[Symbol.asyncIterator]()
  for (const text of texts) {
    writer.write(line(text))
    const { value } = (await reading.next()) as IteratorYieldResult<Progress>
    if (value.type === 'log') followed.push(value.text)
  }
  return {
    writer,
    followed,
    hasEnded: async () => (await reading.next()).done,
    leave: async () => void (await reading.return?.()),
  }
}

const long = ['one', '\u0001'.repeat(64 * 1024), 'zwölf ☃', 'more', 'x'.repeat(70 * 1024), 'last']

test('a reader who follows gets every line once, however long, and never half of one', async () => {
  await using place = await openPlace()
  const logs = openLogs(place.objects)
  const { writer, followed, hasEnded } = await writeFollowed(logs, long)
  await writer.close()
  assert.deepEqual([followed, await hasEnded()], [long, true])
  assert.deepEqual(await read(logs, false), long)
})

test('many lines cost few writes', async () => {
  await using place = await openPlace()
  let puts = 0
  const put: Objects['put'] = async (...args) => {
    puts++
    return await place.objects.put(...args)
  }
  const logs = openLogs({ ...place.objects, put })
  const writer = logs.open('shop', 'B')
  const texts = Array.from({ length: 20_000 }, (_none, number) => `line ${number}`)
  for (const text of texts) writer.write(line(text))
  await writer.close()
  assert.ok(puts < 10, `${puts} writes`)
  assert.equal((await place.keys()).length, 1)
  assert.deepEqual(await read(logs, false), texts)
})

test('what a dead writer has left in parts is read, and put together', async () => {
  await using place = await openPlace()
  const parts = ['one', 'two', 'three'].map((text) => `${JSON.stringify(line(text))}\n`)
  for (const [index, text] of parts.entries()) {
    const content = (async function* () {
      yield Buffer.from(text)
    })()
    await place.objects.put(`builds/shop/B/0000000${index + 1}.ndjson`, content, control)
  }
  const logs = openLogs(place.objects)
  assert.deepEqual(await read(logs, true), ['one', 'two', 'three'])
  await logs.finish('shop', 'B')
  await logs.finish('shop', 'B')
  assert.deepEqual(await place.keys(), ['builds/shop/B.ndjson'])
  assert.deepEqual(await read(logs, false), ['one', 'two', 'three'])
})

test('a log in parts is one object at the end; who reads the parts then goes on in it', async () => {
  await using place = await openPlace()
  const logs = openLogs(place.objects)
  const { writer, leave } = await writeFollowed(logs, long)
  await leave()
  assert.ok((await place.keys()).length > 1)
  const seen: string[] = []
  for await (const progress of logs.read('shop', 'B', { follow: false }, control)) {
    if (progress.type === 'log') seen.push(progress.text)
    if (seen.length === 1) await writer.close()
  }
  assert.deepEqual(seen, long)
  assert.deepEqual(await place.keys(), ['builds/shop/B.ndjson'])
  await logs.remove('shop', 'B')
  assert.deepEqual(await place.keys(), [])
})

test('a record that a crash has torn does not hide the others', async () => {
  await using place = await openPlace()
  const torn = async function* () {
    yield Buffer.from(`${JSON.stringify(line('one'))}\n{"type":"log","te`)
  }
  await place.objects.put('builds/shop/B.ndjson', torn(), control)
  assert.deepEqual(await read(openLogs(place.objects), true), ['one'])
})

test('a log that cannot be kept is told of once, and whoever follows it is let go', async () => {
  await using place = await openPlace()
  const put = () => Promise.reject(new RackError('disk-full', 'no space'))
  const lost: unknown[] = []
  const logs = openLogs({ ...place.objects, put }, (build) => lost.push(build))
  const writer = logs.open('shop', 'B')
  const followed = read(logs, true)
  writer.write(line('one'))
  writer.write(line('two'))
  await writer.close()
  assert.deepEqual([await followed, lost], [[], ['B']])
})

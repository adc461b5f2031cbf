import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Control, Progress } from '../domain/control.ts'
import type { Objects } from '../domain/objects.ts'
import { RackError } from '../domain/error.ts'
import { createBuildLogs } from './build-logs.ts'

const control: Control = { signal: new AbortController().signal, report: () => undefined }
const line = (text: string): Progress => ({ type: 'log', text, time: '2026-01-01T00:00:00Z' })

/** Appends in two halves, so that a reader may come in between. */
function openSlowLogs(append?: Objects['append']) {
  let bytes = Buffer.alloc(0)
  const add = (piece: Uint8Array) => {
    bytes = Buffer.concat([bytes, piece])
  }
  const objects = {
    async append(_key: string, content: Uint8Array) {
      add(content.subarray(0, content.length - 5))
      await new Promise((resolve) => setTimeout(resolve, 5))
      add(content.subarray(content.length - 5))
    },
    size: async () => bytes.length,
    async *get(_key: string, { start }: { start: number }) {
      yield bytes.subarray(start)
    },
    ...(append && { append }),
  } as unknown as Objects
  return { objects, tear: () => add(Buffer.from('{"type":"log","te')) }
}

async function read(logs: ReturnType<typeof createBuildLogs>, follow: boolean): Promise<string[]> {
  const all = await Array.fromAsync(logs.read('shop', 'B', { follow }, control))
  return all.map((progress) => (progress.type === 'log' ? progress.text : progress.phase))
}

test('a reader who follows gets every line once, however long, and never half of one', async () => {
  const { objects } = openSlowLogs()
  const logs = createBuildLogs(objects)
  const writer = logs.open('shop', 'B')
  const followed = read(logs, true)
  const texts = ['one', '\u0001'.repeat(64 * 1024), 'zwölf ☃', 'last']
  for (const text of texts) {
    writer.write(line(text))
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  await writer.close()
  assert.deepEqual(await followed, texts)
  assert.deepEqual(await read(logs, false), texts)
})

test('a record that a crash has torn does not hide the others', async () => {
  const { objects, tear } = openSlowLogs()
  const logs = createBuildLogs(objects)
  const writer = logs.open('shop', 'B')
  writer.write(line('one'))
  await writer.close()
  tear()
  assert.deepEqual(await read(logs, true), ['one'])
})

test('a log that cannot be kept is told of once, and whoever follows it is let go', async () => {
  const { objects } = openSlowLogs(() => Promise.reject(new RackError('disk-full', 'no space')))
  const lost: unknown[] = []
  const logs = createBuildLogs(objects, (build) => lost.push(build))
  const writer = logs.open('shop', 'B')
  const followed = read(logs, true)
  writer.write(line('one'))
  writer.write(line('two'))
  await writer.close()
  assert.deepEqual([await followed, lost], [[], ['B']])
})

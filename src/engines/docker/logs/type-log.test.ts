import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LogLine } from '../../../domain/engine.ts'
import { openTypeLog } from './type-log.ts'

async function scratch(context: TestContext, maxBytes = 1024 * 1024) {
  const directory = await mkdtemp(join(tmpdir(), 'rack-log-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'shop', 'web.log')
  return { path, open: () => openTypeLog({ path, app: 'shop', type: 'web', maxBytes }) }
}

const line = (number: number, overrides: Partial<LogLine> = {}): LogLine => ({
  time: `2026-01-01T00:00:00.${String(number).padStart(9, '0')}Z`,
  app: 'shop',
  type: 'web',
  process: 'PAAAAAAAAAA',
  release: 'RAAAAAAAAAA',
  stream: number % 2 ? 'stdout' : 'stderr',
  text: `line ${number}`,
  ...overrides,
})

async function allOf(log: ReturnType<typeof openTypeLog>): Promise<LogLine[]> {
  return await Array.fromAsync((await log.read()).lines)
}

test('lines come back as they were, tabs and empty ones too, after a restart', async (context) => {
  const { open } = await scratch(context)
  const lines = [line(1), line(2, { text: 'a\tb\t' }), line(3, { text: '' }), line(4, { text: 'ü' })]
  await open().append(lines)
  assert.deepEqual(await allOf(open()), lines)
})

test('the position names the newest time and how many lines have it', async (context) => {
  const { open } = await scratch(context)
  await open().append([line(1), line(5), line(5, { text: 'again' }), line(2, { process: 'PB' })])
  const log = open()
  assert.deepEqual(await log.position('PAAAAAAAAAA'), { time: line(5).time, count: 2 })
  assert.deepEqual(await log.position('PB'), { time: line(2).time, count: 1 })
  assert.equal(await log.position('PC'), null)
})

test('half a line at the end, from a crash, is cut off', async (context) => {
  const { open, path } = await scratch(context)
  await open().append([line(1)])
  await appendFile(path, '2026-01-01T00:00:00.9Z\tPAAAAAAAAAA\tRA')
  const log = open()
  await log.append([line(2)])
  assert.deepEqual(
    (await allOf(log)).map(({ text }) => text),
    ['line 1', 'line 2'],
  )
})

test('the files stay within their bound, and the newest lines are kept', async (context) => {
  const { open, path } = await scratch(context, 20_000)
  const log = open()
  for (let number = 0; number < 2000; number++) await log.append([line(number)])
  const bytes = (await stat(path)).size + (await stat(`${path}.1`)).size
  assert.ok(bytes <= 21_000, `${bytes} bytes`)
  const kept = await allOf(log)
  assert.equal(kept.at(-1)?.text, 'line 1999')
  assert.equal(Number(kept[0]?.text.slice(5)) + kept.length, 2000, 'without a gap')
  assert.deepEqual(await allOf(open()), kept)
})

test('a reader sees each line once: what was there in the file, what comes by ear', async (context) => {
  const { open } = await scratch(context, 20_000)
  const log = open()
  const writing = (async () => {
    for (let number = 0; number < 300; number++) await log.append([line(number)])
  })()
  await log.append([line(1000)])
  const heard: LogLine[] = []
  const reading = await log.read((each) => heard.push(each))
  const kept = await Array.fromAsync(reading.lines)
  await writing
  reading.stop()
  const seen = [...kept, ...heard].map(({ text }) => text)
  assert.equal(new Set(seen).size, seen.length)
  assert.equal(seen.length, 301)
})

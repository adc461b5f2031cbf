import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { mock, test } from 'node:test'
import type { Progress } from '../../domain/control.ts'
import { createOutput } from './output.ts'
import { showProgress } from './progress.ts'

const time = '2026-11-23T10:00:00Z'
const log = (text: string, type?: string): Progress => ({
  type: 'log',
  text,
  time,
  ...(type && { process: type }),
})
const phase = (name: string, state: 'started' | 'ended', more: object = {}): Progress => ({
  type: 'phase',
  phase: name,
  state,
  time,
  ...more,
})

function makeView({ isTty }: { isTty: boolean }) {
  const stream = new PassThrough()
  const chunks: string[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  Object.assign(stream, { isTTY: isTty, columns: 40 })
  const stderr = stream as unknown as NodeJS.WriteStream
  const view = showProgress(createOutput({ stdout: stderr, stderr, env: { NO_COLOR: '1' } }))
  return { view, text: () => chunks.join('') }
}

test('elsewhere than on a terminal: one line for each log line and each phase that ended', () => {
  const { view, text } = makeView({ isTty: false })
  view.report(phase('build', 'started'))
  view.report(log('step 1', 'web'))
  view.report(log('no process\r'))
  view.report(phase('build', 'ended', { ms: 1234, detail: '2 images' }))
  view.note('done')
  view[Symbol.dispose]()
  assert.equal(text(), 'web | step 1\nno process\nbuild  1.2 s  2 images\ndone\n')
})

test('a phase that takes longer is named while it runs, a short one only at its end', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { view, text } = makeView({ isTty: false })
  view.report(phase('start', 'started', { process: 'web' }))
  view.report(phase('check', 'started'))
  mock.timers.tick(1000)
  view.report(phase('check', 'ended', { ms: 1000 }))
  mock.timers.tick(5000)
  view[Symbol.dispose]()
  mock.timers.reset()
  assert.equal(text(), 'check  1 s\nstart web …\n')
})

test('phases without an end of their own end with the operation', () => {
  const { view, text } = makeView({ isTty: false })
  view.report(phase('build', 'started', { detail: 'BABCDEFGHIJ' }))
  view.settle()
  view.settle()
  assert.match(text(), /^build {2}\d+ ms {2}BABCDEFGHIJ\n$/)
})

test('on a terminal: the running phases with their time on a last line that is drawn over', () => {
  const { view, text } = makeView({ isTty: true })
  view.report(phase('build', 'started'))
  view.report(log('step 1'))
  view.report(phase('build', 'ended', { ms: 50 }))
  view[Symbol.dispose]()
  const erase = '\r\u001b[2K'
  assert.match(text(), /^. build 0\.0 s/)
  assert.ok(text().includes(`${erase}step 1\n`))
  assert.ok(text().includes('✓ build  50 ms\n'))
  assert.ok(!text().endsWith('s'), 'nothing stays on the last line')
})

test('a line is cut at the width of the terminal', () => {
  const { view, text } = makeView({ isTty: true })
  for (const name of ['one', 'two', 'three', 'four', 'five']) view.report(phase(`${name}-phase`, 'started'))
  const drawn = text().split('\r\u001b[2K').at(-1)!
  view[Symbol.dispose]()
  assert.equal(Array.from(drawn).length, 39)
  assert.ok(drawn.endsWith('…'))
})

test("a build's output cannot steer the terminal", () => {
  const { view, text } = makeView({ isTty: false })
  view.report(log('a\u001b[2Jb\u001b]0;title\u0007c\u0008\td\u001b[31mred'))
  view[Symbol.dispose]()
  assert.equal(text(), 'abc�\tdred\n')
})

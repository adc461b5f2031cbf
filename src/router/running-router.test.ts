import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Control } from '../domain/control.ts'
import { masterSocket } from './haproxy-config.ts'
import { RunningRouter } from './running-router.ts'
import { createRuntimeApi } from './runtime-api.ts'
import { sharesOf } from './shares.ts'

/** Its time begins with a test: others of the same program may have come before. */
const control = (): Control => ({ signal: AbortSignal.timeout(60_000), report: () => undefined })
const [serving, replaced] = [11, 12]
const unreached = "Can't connect to the target CLI!\n"
const unknown = "Can't find the target PID matching the prefix '@!12'\n"

/** What a master of HAProxy says to a command for the replaced worker, each time that one is sent; the last for good. */
type Script = Record<string, string[]>

/** A router whose master is a script on a real socket; it lists the replaced worker until it says that it knows none. */
async function startScripted(t: TestContext, script: Script) {
  const directory = await mkdtemp(join(tmpdir(), 'rack-running-'))
  const told: string[] = []
  let isListed = true
  const master = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setEncoding('utf8').once('data', (line: string) => {
      const [target, ...words] = line.trimEnd().split(' ')
      const command = words.join(' ')
      told.push(line.trimEnd())
      const answers = target === `@!${replaced}` ? script[command] : undefined
      const answer = (answers && answers.length > 1 ? answers.shift() : answers?.[0]) ?? '\n'
      if (answer === unknown) isListed = false
      socket.end(line === 'show proc\n' ? listOf(isListed ? [replaced] : []) : answer)
    })
  }).listen(masterSocket(directory))
  await once(master, 'listening')
  t.after(async () => {
    master.close()
    await rm(directory, { recursive: true })
  })
  const runtime = createRuntimeApi(directory, async () => true)
  return { running: new RunningRouter(runtime, sharesOf(1000)), told }
}

const listOf = (old: number[]) =>
  ['10 master', '# workers', `${serving} worker`, '# old workers', ...old.map((pid) => `${pid} worker`)]
    .map((row) => (row.startsWith('#') ? row : `${row} 0 0d00h00m06s 2.6.12`))
    .join('\n')

const times = (told: string[], command: string) => told.filter((each) => each === command).length

test('a worker that ends while all are told is no failure, though its master lists it yet', async (t) => {
  for (const answers of [[unknown], [unreached, unknown], [unreached, unreached, unknown], ['']]) {
    const script = { 'clear counters': answers, 'show info': ['', unknown] }
    const { running, told } = await startScripted(t, script)
    await running.clearMaxima(control())
    assert.equal(times(told, `@!${serving} clear counters`), 1)
  }
})

test('one that is about to listen is waited for', async (t) => {
  const answers = [unreached, unreached, '\n']
  const { running, told } = await startScripted(t, { 'clear counters': answers })
  await running.clearMaxima(control())
  assert.equal(times(told, `@!${replaced} clear counters`), 3)
})

test('a question whose answer was cut is asked again, and no answer is not taken for an empty one', async (t) => {
  const statistics = '# pxname,svname,mode,\nshop.http.80.web,P1.R1,http,\n\n'
  const script = { 'show stat -1 6 -1': ['', statistics] }
  const { running } = await startScripted(t, script)
  assert.deepEqual(await running.servers(control()), ['shop.http.80.web/P1.R1'])
})

test('one that is there and refuses, or does not say what it has done, is told of', async (t) => {
  for (const [answer, message] of [
    ['Permission denied\n\n', /refused "clear counters": Permission denied/],
    ['', /does not answer/],
  ] as const) {
    const script = { 'clear counters': [answer], 'show info': ['Pid: 12\n\n'] }
    const { running, told } = await startScripted(t, script)
    await assert.rejects(running.clearMaxima(control()), { code: 'host-failed', message })
    assert.equal(times(told, `@!${replaced} clear counters`), 1)
  }
})

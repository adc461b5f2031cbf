import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { AppProcess } from '../../domain/process.ts'
import type { Operations, RunRequest } from '../../operations/operations.ts'
import { typeCommand, type TypeOptions } from '../../../test/support/type-command.ts'

const oneOff: AppProcess = {
  id: 'PAAAAAAAAAA',
  app: 'guestbook',
  type: 'web',
  kind: 'one-off',
  status: 'running',
  detail: null,
  release: 'RAAAAAAAAAA',
  started: '2026-11-23T05:00:00.000Z',
  ended: null,
  command: ['node'],
  address: null,
  exitCode: null,
  restarts: 0,
  outOfMemory: 0,
  cpuUnits: 128,
  memoryBytes: 1024,
  cpuPercent: null,
  memoryPercent: null,
}

async function type(args: string[], options: Omit<TypeOptions, 'rack'> = {}) {
  const runs: (RunRequest & { isAttached: boolean; tty: boolean | undefined })[] = []
  const execs: { process: string; command: string[] }[] = []
  const rack: Partial<Operations> = {
    async runProcess(_app, run, terminal) {
      runs.push({ ...run, isAttached: terminal !== null, tty: terminal?.tty })
      await terminal?.output('stdout', Buffer.from('one\ntw'))
      await terminal?.output('stderr', Buffer.from('careful\n'))
      await terminal?.output('stdout', Buffer.from('o'))
      return { process: oneOff, exit: Promise.resolve(7) }
    },
    async execProcess(_app, exec, terminal) {
      execs.push(exec)
      for await (const chunk of terminal.input ?? []) await terminal.output('stdout', chunk)
      return 0
    },
    async getProcess() {
      return oneOff
    },
    async listProcesses(_app, { type }) {
      return type === 'web' ? [{ ...oneOff, kind: 'process', id: 'PBBBBBBBBBB' }] : []
    },
  }
  return { ...(await typeCommand(args, { ...options, rack })), runs, execs }
}

test('run passes streams and the exit code through', async () => {
  const { code, stdout, stderr, runs } = await type(['run', 'web', '--', 'sh', '-c', 'exit 7'])
  assert.equal(code, 7)
  assert.equal(stdout, 'one\ntwo')
  assert.equal(stderr, 'careful\n')
  const command = ['sh', '-c', 'exit 7']
  assert.deepEqual(runs, [
    { type: 'web', command, release: null, timeoutMs: null, isAttached: true, tty: false },
  ])
})

for (const words of [
  ['run', 'web', 'sh', '--json', '-a', 'x'],
  ['run', 'web', '--', 'sh', '--json', '-a', 'x'],
  ['run', '--app', 'guestbook', '--timeout=5m', 'web', 'sh', '--json', '-a', 'x'],
]) {
  test(`options behind the type are the command's: ${words.join(' ')}`, async () => {
    const { runs } = await type(words)
    assert.deepEqual(runs[0]?.command, ['sh', '--json', '-a', 'x'])
  })
}

test("without a command it is the type's own", async () => {
  const { runs } = await type(['run', '--release', 'RBBBBBBBBBB', '--timeout', '90', 'web'])
  const { command, release, timeoutMs } = runs[0]!
  assert.deepEqual(
    { command, release, timeoutMs },
    { command: [], release: 'RBBBBBBBBBB', timeoutMs: 90_000 },
  )
})

test('detached, it prints the id and leaves', async () => {
  const { code, stdout, runs } = await type(['run', '-d', 'web', 'sleep', '9'])
  assert.equal(code, 0)
  assert.equal(stdout, 'PAAAAAAAAAA\n')
  assert.equal(runs[0]?.isAttached, false)
  assert.deepEqual(JSON.parse((await type(['run', '-d', '--json', 'web'])).stdout), oneOff)
})

test('as JSON, output is records and the last one has the exit code', async () => {
  const { code, stdout } = await type(['run', '--json', 'web', 'x'])
  assert.equal(code, 7)
  const records = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    records.slice(0, -1).map(({ stream, text }) => `${String(stream)} ${String(text)}`),
    ['stdout one', 'stderr careful', 'stdout two'],
  )
  assert.deepEqual(records.at(-1), { type: 'result', result: { process: oneOff, exitCode: 7 } })
})

test('exec sends all of the input, then its end', async () => {
  const input = Array.from({ length: 5 }, (_, at) => randomBytes(at * 30_000 + 1))
  const { code, stdout, execs } = await type(['exec', 'PAAAAAAAAAA', 'base64'], {
    input: input.map((piece) => Buffer.from(piece.toString('base64'))),
  })
  assert.equal(code, 0)
  assert.equal(stdout, input.map((piece) => piece.toString('base64')).join(''))
  assert.deepEqual(execs, [{ process: 'PAAAAAAAAAA', command: ['base64'] }])
})

test('a type stands for one of its copies', async () => {
  assert.equal((await type(['exec', 'web', 'true'])).execs[0]?.process, 'PBBBBBBBBBB')
  const { code, stderr } = await type(['exec', 'worker', 'true'])
  assert.equal(code, 1)
  assert.match(stderr, /no process "worker"/)
})

test('what is missing or wrong is a mistake of usage', async () => {
  assert.equal((await type(['exec', 'PAAAAAAAAAA'])).code, 2)
  assert.equal((await type(['run'])).code, 2)
  assert.equal((await type(['run', '--timeout', 'soon', 'web'])).code, 2)
  assert.equal((await type(['run', '--json', '--tty', 'web'])).code, 2)
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { plainContainer } from '../../src/domain/container.ts'
import { RackError } from '../../src/domain/error.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import type { Terminal } from '../../src/domain/terminal.ts'
import { until } from '../../src/lib/poll.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'

type Rack = Awaited<ReturnType<typeof openDockerRack>>

describe('processes on a real Docker Engine', { concurrency: 3 }, () => {
  let rack: Rack
  let image = ''
  before(async () => {
    rack = await openDockerRack()
    image = await rack.image('busybox:1')
  })
  after(async () => await rack.close())

  const shell = (script: string, overrides: Partial<ProcessPlan> = {}) =>
    processPlan({ image, memoryBytes: 32 * 2 ** 20, command: ['sh', '-c', script], ...overrides })
  const sleeps = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
  const deploy = async (app: string, ...processes: ProcessPlan[]) =>
    await rack.engine.deploy(planOf(processes, { app, rack: rack.rack }), controlFor(60_000))
  const only = async (app: string) => (await rack.engine.processes({ app }, controlFor(10_000)))[0]!
  const lines = async (app: string, engine = rack.engine) =>
    await Array.fromAsync(engine.logs({ app, follow: false }, controlFor(20_000)))
  const oneOff = (app: string, script: string) => ({
    app,
    release: 'RAAAAAAAAAA',
    process: shell(sleeps),
    command: ['sh', '-c', script],
    kind: 'one-off' as const,
    timeoutMs: null,
  })

  const copiedOnce = async (overrides: Partial<ProcessPlan>) => {
    const app = 'counter'
    // Two streams, and bursts that end in the middle of a copy.
    const script = `i=0; while [ $i -lt 4000 ]; do echo "line $i"; i=$((i+1))
      [ $((i % 500)) = 0 ] && { echo "err $i" >&2; sleep 0.3; }; done; ${sleeps}`
    // One daemon at a time writes the logs of a rack.
    const own = await openDockerRack()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => own.close())
    let engine = own.engine
    await engine.deploy(planOf([shell(script, overrides)], { app, rack: own.rack }), controlFor(60_000))
    for (let round = 0; round < 6; round++) {
      await engine.close()
      engine = own.reopen()
      await engine.start(controlFor(10_000))
      await pause(150)
    }
    await until(async () => (await lines(app, engine)).some(({ text }) => text === 'line 3999'), {
      deadlineMs: 20_000,
      intervalMs: 200,
      what: 'the last line',
    })
    const texts = (await lines(app, engine)).map(({ text }) => text)
    const expected = Array.from({ length: 4000 }, (_, index) => `line ${index}`)
    assert.deepEqual(
      texts.filter((text) => text.startsWith('line')),
      expected,
    )
    assert.equal(texts.filter((text) => text.startsWith('err')).length, 8)
    await engine.close()
  }

  test('a log is copied without loss or repeat, however often the copying starts again', async () => {
    await copiedOnce({})
  })

  test('the same holds for a process with a terminal, whose log has no frames', async () => {
    await copiedOnce({ container: { ...plainContainer, tty: true } })
  })

  test('exec has a real terminal: its size, its line discipline, its exit code', async () => {
    await deploy('tty', shell(sleeps))
    const { id } = await only('tty')
    const resized = Promise.withResolvers<(size: { rows: number; columns: number }) => void>()
    const typed = Promise.withResolvers<void>()
    const output: string[] = []
    async function* input() {
      await typed.promise
      yield Buffer.from('stty size; exit 3\n')
    }
    const terminal: Terminal = {
      tty: true,
      rows: 40,
      columns: 100,
      input: input(),
      output: async (_, chunk) => void output.push(Buffer.from(chunk).toString()),
      onResize: (listener) => resized.resolve(listener),
    }
    const ended = rack.engine.exec(id, ['sh'], terminal, controlFor(20_000))
    const resize = await resized.promise
    await until(() => output.join('').includes('#'), { deadlineMs: 5000, what: 'the prompt' })
    resize({ rows: 33, columns: 77 })
    await pause(200)
    typed.resolve()
    assert.equal(await ended, 3)
    assert.match(output.join(''), /33 77/)
  })

  test('a lost client ends the command that it ran, children too, and not the process', async () => {
    await deploy('lost', shell(sleeps))
    const { id } = await only('lost')
    const client = new AbortController()
    const control = { signal: client.signal, report: () => undefined }
    const command = ['sh', '-c', 'sleep 4321 & sleep 4321; true']
    const running = rack.engine.exec(id, command, collectTerminal([], { open: true }).terminal, control)
    const rejected = assert.rejects(
      running,
      (error) => error instanceof RackError && error.code === 'cancelled',
    )
    const sleeping = async () => {
      const seen = collectTerminal()
      await rack.engine.exec(
        id,
        ['sh', '-c', 'ps | grep -c "[s]leep 4321"'],
        seen.terminal,
        controlFor(10_000),
      )
      return Number(seen.stdout())
    }
    await until(async () => (await sleeping()) >= 2, { deadlineMs: 5000, what: 'the command to run' })
    client.abort()
    await rejected
    assert.equal(await sleeping(), 0)
    assert.equal((await only('lost')).status, 'running')
  })

  test('exec in a process that has ended is a conflict', async () => {
    await deploy('done', shell('exit 0', { restart: 'no' }))
    const { id, status } = await only('done')
    assert.equal(status, 'completed')
    const attempt = rack.engine.exec(id, ['true'], collectTerminal().terminal, controlFor(5000))
    await assert.rejects(attempt, (error) => error instanceof RackError && error.code === 'conflict')
  })

  test('a one-off outlives its daemon, and the next one keeps its log and clears up', async () => {
    const own = await openDockerRack()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => own.close())
    await own.engine.deploy(planOf([shell(sleeps)], { app: 'adopt', rack: own.rack }), controlFor(60_000))
    await own.engine.close()
    const former = own.reopen()
    const { process, exit } = await former.run(
      oneOff('adopt', 'sleep 2; echo done late'),
      null,
      controlFor(20_000),
    )
    const abandoned = assert.rejects(exit)
    await former.close()
    await abandoned
    const next = own.reopen()
    await next.start(controlFor(10_000))
    await until(async () => (await next.processes({ id: process.id }, controlFor(5000))).length === 0, {
      deadlineMs: 15_000,
      what: 'the one-off to be gone',
    })
    const kept = await lines('adopt', next)
    assert.deepEqual(
      kept.filter((line) => line.process === process.id).map(({ text }) => text),
      ['done late'],
    )
    assert.equal((await own.addresses.holders('adopt')).length, 1)
    await next.close()
  })

  test('a directory comes out as its entries, and goes into another process', async () => {
    await deploy(
      'files',
      shell(`mkdir -p /srv/a; echo one > /srv/a/one; ln -s one /srv/a/link; ${sleeps}`, { count: 2 }),
    )
    const [from, to] = await rack.engine.processes({ app: 'files' }, controlFor(5000))
    const chunks: Uint8Array[] = []
    await rack.engine.copy(
      from!.id,
      '/srv/a',
      { out: async (chunk) => void chunks.push(chunk) },
      controlFor(10_000),
    )
    async function* archive() {
      yield* chunks
    }
    await rack.engine.copy(to!.id, '/tmp', { in: archive() }, controlFor(10_000))
    const seen = collectTerminal()
    await rack.engine.exec(to!.id, ['sh', '-c', 'cat /tmp/link'], seen.terminal, controlFor(5000))
    assert.equal(seen.stdout(), 'one\n')
    const missing = rack.engine.copy(to!.id, '/none', { out: async () => {} }, controlFor(5000))
    await assert.rejects(missing, (error) => error instanceof RackError && error.code === 'not-found')
  })

  test('limits hold: memory, processes, privileges', async () => {
    await deploy('limits', shell(sleeps))
    const { id } = await only('limits')
    const seen = collectTerminal()
    const script =
      'grep NoNewPrivs /proc/self/status; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null'
    await rack.engine.exec(id, ['sh', '-c', script], seen.terminal, controlFor(5000))
    assert.match(seen.stdout(), /NoNewPrivs:\t1\n4096/)
  })
})

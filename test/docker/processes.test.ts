import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { plainContainer } from '../../src/domain/container.ts'
import type { CopyFailure } from '../../src/domain/deployment.ts'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import type { Process } from '../../src/domain/process.ts'
import type { Terminal } from '../../src/domain/terminal.ts'
import { until } from '../../src/lib/poll.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'
import { deployPlan } from '../support/deploy-plan.ts'

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
    await deployPlan(
      rack.engine,
      planOf(processes, { owner: appOwner(app), rack: rack.rack }),
      controlFor(60_000),
    )
  const only = async (app: string) =>
    (await rack.engine.processes({ owner: appOwner(app) }, controlFor(60_000)))[0]!
  const lines = async (app: string, engine = rack.engine) =>
    await Array.fromAsync(engine.logs({ owner: appOwner(app), follow: false }, controlFor(60_000)))
  const oneOff = (app: string, script: string) => ({
    owner: appOwner(app),
    release: 'RAAAAAAAAAA',
    process: shell(sleeps),
    command: ['sh', '-c', script],
    kind: 'one-off' as const,
    operation: 'OAAAAAAAAAA',
    timeoutMs: null,
  })

  test('a copy that crashed while it was watched is undone, though Docker has started it again before it says so', async () => {
    // One daemon at a time keeps the logs of a rack.
    const own = await openDockerRack()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => own.close())
    // A busy Docker reads the exit code of the new start.
    const docker: typeof own.docker = {
      ...own.docker,
      json: async <T>(...call: Parameters<typeof own.docker.json>) => {
        const answer = await own.docker.json<T>(...call)
        return call[0].path.endsWith('/wait') ? ({ StatusCode: 0 } as T) : answer
      },
    }
    const crashes = shell('sleep 6; exit 3', { restart: 'on-failure', watchMs: 20_000 })
    const plan = planOf([crashes], { owner: appOwner('again'), rack: own.rack })
    await assert.rejects(deployPlan(own.reopen({ docker }), plan, controlFor(60_000)), (error: RackError) => {
      const [failure] = error.details as [CopyFailure]
      assert.deepEqual([failure.reason, failure.exitCode], ['exited-soon', 3])
      return true
    })
  })

  test('a process that prints 200,000 lines and is then replaced keeps all of them', async () => {
    const own = await openDockerRack()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => own.close())
    const owner = appOwner('loud')
    for (const each of [shell(`seq 200000; ${sleeps}`), shell(sleeps)])
      await deployPlan(own.engine, planOf([each], { owner, rack: own.rack }), controlFor(180_000))
    let expected = 0
    for await (const { text } of own.engine.logs({ owner, follow: false }, controlFor(180_000))) {
      assert.equal(text, String(++expected))
    }
    assert.equal(expected, 200_000)
    assert.deepEqual(own.troubles, [])
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
    await deployPlan(
      engine,
      planOf([shell(script, overrides)], { owner: appOwner(app), rack: own.rack }),
      controlFor(60_000),
    )
    for (let round = 0; round < 6; round++) {
      await engine.close()
      engine = own.reopen()
      await engine.start(controlFor(60_000))
      await pause(150)
    }
    await until(async () => (await lines(app, engine)).some(({ text }) => text === 'line 3999'), {
      deadlineMs: 60_000,
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
      yield Buffer.from('until stty size | grep "33 77"; do sleep 0.1; done; exit 3\n')
    }
    const terminal: Terminal = {
      tty: true,
      rows: 40,
      columns: 100,
      input: input(),
      output: async (_, chunk) => void output.push(Buffer.from(chunk).toString()),
      onResize: (listener) => resized.resolve(listener),
    }
    const ended = rack.engine.exec(id, ['sh'], terminal, controlFor(60_000))
    const resize = await resized.promise
    await until(() => output.join('').includes('#'), { deadlineMs: 5000, what: 'the prompt' })
    resize({ rows: 33, columns: 77 })
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
        controlFor(60_000),
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
    await deployPlan(
      own.engine,
      planOf([shell(sleeps)], { owner: appOwner('adopt'), rack: own.rack }),
      controlFor(60_000),
    )
    await own.engine.close()
    const former = own.reopen()
    const { process: running, exit } = await former.run(
      oneOff('adopt', 'sleep 2; echo done late'),
      null,
      controlFor(60_000),
    )
    const abandoned = assert.rejects(exit)
    await former.close()
    await abandoned
    const next = own.reopen()
    await next.start(controlFor(60_000))
    await until(async () => (await next.processes({ id: running.id }, controlFor(5000))).length === 0, {
      deadlineMs: 15_000,
      what: 'the one-off to be gone',
    })
    const kept = await lines('adopt', next)
    assert.deepEqual(
      kept.filter((line) => line.process === running.id).map(({ text }) => text),
      ['done late'],
    )
    assert.equal((await own.addresses.holders('adopt')).length, 1)
    await next.close()
  })

  test('a one-off that a terminal was joined to ends when the next daemon finds it', async () => {
    const own = await openDockerRack()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => own.close())
    const former = own.reopen()
    await deployPlan(
      former,
      planOf([shell(sleeps)], { owner: appOwner('left'), rack: own.rack }),
      controlFor(60_000),
    )
    const { terminal } = collectTerminal([], { open: true })
    const joined = await former.run(oneOff('left', 'sleep 3600'), terminal, controlFor(120_000))
    const detached = await former.run(oneOff('left', 'sleep 3600'), null, controlFor(60_000))
    const abandoned = Promise.all([assert.rejects(joined.exit), assert.rejects(detached.exit)])
    await former.close()
    await abandoned
    const ended: Process[] = []
    const next = own.reopen({ onEnded: async (one) => void ended.push(one) })
    await next.start(controlFor(60_000))
    const isGone = async () =>
      (await next.processes({ id: joined.process.id }, controlFor(5000))).length === 0
    await until(isGone, { deadlineMs: 60_000, what: 'the joined one-off to end' })
    const [left] = await next.processes({ id: detached.process.id }, controlFor(5000))
    assert.equal(left?.status, 'running')
    assert.deepEqual(
      ended.map(({ id, status, exitCode }) => [id, status, exitCode]),
      [[joined.process.id, 'crashed', 137]],
    )
    await next.close()
  })

  test('the exit of a one-off that ended without a daemon is told, and again until it is kept', async () => {
    const own = await openDockerRack()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => own.close())
    const former = own.reopen()
    await deployPlan(
      former,
      planOf([shell(sleeps)], { owner: appOwner('late'), rack: own.rack }),
      controlFor(60_000),
    )
    const { process: running, exit } = await former.run(
      oneOff('late', 'sleep 1; exit 7'),
      null,
      controlFor(60_000),
    )
    const abandoned = assert.rejects(exit)
    await former.close()
    await abandoned
    const stateOf = async () => (await own.engine.processes({ id: running.id }, controlFor(5000)))[0]?.status
    await until(async () => (await stateOf()) === 'crashed', { deadlineMs: 60_000, what: 'its end' })

    const failing = own.reopen({ onEnded: async () => Promise.reject(new Error('the store is away')) })
    await failing.start(controlFor(60_000))
    const isTold = () => own.troubles.some((error) => (error as Error).message === 'the store is away')
    await until(isTold, { deadlineMs: 60_000, what: 'the failure to be told' })
    await failing.close()
    assert.equal(await stateOf(), 'crashed')

    const ended: Process[] = []
    const next = own.reopen({ onEnded: async (one) => void ended.push(one) })
    await next.start(controlFor(60_000))
    await until(async () => (await stateOf()) === undefined, { deadlineMs: 60_000, what: 'it to be gone' })
    await next.close()
    const [one] = ended
    assert.deepEqual([one?.id, one?.status, one?.exitCode], [running.id, 'crashed', 7])
    assert.ok(Date.parse(one?.ended ?? '') >= Date.parse(one?.started ?? ''))
  })

  test('a one-off whose container somebody removes ends with its exit code all the same, and its end is kept', async () => {
    const own = await openDockerRack()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => own.close())
    const ended: [running: Process, operation: string][] = []
    const engine = own.reopen({ onEnded: async (...end) => void ended.push(end) })
    const { process: running, exit } = await engine.run(
      oneOff('taken', 'sleep 3600'),
      null,
      controlFor(60_000),
    )
    const query = { all: true, filters: { label: [`com.rack.process=${running.id}`] } }
    const listing = { path: '/containers/json', query }
    const [found] = await own.docker.json<{ Id: string }[]>(listing, controlFor(5000))
    const removal = { method: 'DELETE', path: `/containers/${found?.Id}`, query: { force: true } } as const
    await own.docker.json(removal, controlFor(60_000))
    assert.equal(await exit, 137)
    await engine.close()
    const ends = ended.map(([{ id, status, exitCode }, operation]) => [id, status, exitCode, operation])
    assert.deepEqual(ends, [[running.id, 'crashed', 137, 'OAAAAAAAAAA']])
  })

  test('what is in a directory comes out, and goes into another process', async () => {
    await deploy(
      'files',
      shell(`mkdir -p /srv/a; echo one > /srv/a/one; ln -s one /srv/a/link; ${sleeps}`, { count: 2 }),
    )
    const [from, to] = await rack.engine.processes({ owner: appOwner('files') }, controlFor(5000))
    const chunks: Uint8Array[] = []
    await rack.engine.copy(
      from!.id,
      '/srv/a/.',
      { out: async (chunk) => void chunks.push(chunk) },
      controlFor(60_000),
    )
    async function* archive() {
      yield* chunks
    }
    await rack.engine.copy(to!.id, '/tmp', { in: archive() }, controlFor(60_000))
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

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { CopyFailure } from '../../src/domain/deployment.ts'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import { until } from '../../src/lib/poll.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { deployPlan } from '../support/deploy-plan.ts'

type Rack = Awaited<ReturnType<typeof openDockerRack>>

/** Answers every request with a text, and ends itself gracefully. */
function server(text: string, { status = 200, afterMs = 0, port = 3000, answerMs = 0 } = {}): string[] {
  const script = `
    const server = require('http').createServer((_, answer) => {
      answer.statusCode = ${status}
      setTimeout(() => answer.end('${text}'), ${answerMs})
    })
    setTimeout(() => server.listen(${port}), ${afterMs})
    process.on('SIGTERM', () => server.close(() => process.exit(0)))`
  return ['node', '-e', script]
}

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`)
}

describe('deploys on a real Docker Engine', { concurrency: 2 }, () => {
  let rack: Rack
  let node = ''
  let busybox = ''
  before(async () => {
    rack = await openDockerRack()
    node = await rack.image('node:24-slim')
    busybox = await rack.image('busybox:1')
  })
  after(async () => await rack.close())

  const shell = (script: string, overrides: Partial<ProcessPlan> = {}) =>
    processPlan({ image: busybox, memoryBytes: 32 * 2 ** 20, command: ['sh', '-c', script], ...overrides })
  const sleeps = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
  const web = (app: string, command: string[], overrides: Partial<ProcessPlan> = {}) =>
    processPlan({ image: node, command, count: 2, ...servesHttp(3000, [`${app}.localhost`]), ...overrides })
  const deploy = async (plan: Plan) =>
    await deployPlan(rack.engine, { ...plan, rack: rack.rack }, controlFor(60_000))
  const failure = async (plan: Plan): Promise<{ error: RackError; first: CopyFailure }> => {
    const error = await deploy(plan).then(
      () => assert.fail('the deploy went through'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof RackError && error.code === 'deploy-failed', String(error))
    const [first] = error.details as [CopyFailure]
    return { error, first }
  }
  const running = async (app: string) =>
    await rack.engine.processes({ owner: appOwner(app) }, controlFor(60_000))

  test('a process that takes too much memory is out of memory, with 137', async () => {
    const hog = shell('echo filling; tail /dev/zero', { memoryBytes: 16 * 2 ** 20 })
    const { first, error } = await failure(planOf([hog], { owner: appOwner('hog') }))
    assert.deepEqual([first.reason, first.exitCode, first.lastLines], ['out-of-memory', 137, ['filling']])
    assert.match(error.hint ?? '', /memory/)
  })

  test('137 without the kernel behind it is an exit', async () => {
    const { first } = await failure(planOf([shell('exit 137')], { owner: appOwner('not-hog') }))
    assert.deepEqual([first.reason, first.exitCode], ['exited', 137])
  })

  test('a command that is not in the image is not started, and the reason names it', async () => {
    const plan = processPlan({ image: busybox, command: ['no-such-program'], memoryBytes: 32 * 2 ** 20 })
    const { first, error } = await failure(planOf([plan], { owner: appOwner('no-command') }))
    assert.equal(first.reason, 'not-started')
    assert.match(error.message, /no-such-program/)
    assert.deepEqual(await running('no-command'), [])
  })

  test('500 on the health path fails within seconds, says so, and what ran serves on', async () => {
    const app = 'unwell'
    await deploy(planOf([web(app, server('well'))], { owner: appOwner(app) }))
    const before = (await running(app)).map(({ id }) => id)
    const health = { ...processPlan().health, path: '/up' }
    const plan = planOf([web(app, server('ill', { status: 500 }), { health })], {
      owner: appOwner(app),
      release: 'RBBBBBBBBBB',
    })
    const load = startLoad({ port: rack.httpPort, host: `${app}.localhost`, connections: 4 })
    const { first, error } = await failure(plan)
    const seen = await load.stop()
    assert.equal(first.reason, 'not-healthy')
    assert.match(first.probe ?? '', /GET \/up on 3000 \(Host: .*\) answered 500/)
    assert.match(error.hint ?? '', /rack\.health\.path/)
    assert.deepEqual([seen.failures, Object.keys(seen.bodies)], [{}, ['well']])
    assert.deepEqual(
      (await running(app)).map(({ id }) => id),
      before,
    )
  })

  test('a deploy to another port under load drops nothing, and asks no old copy there', async () => {
    const app = 'moved'
    const elsewhere = `require('http').createServer((_, answer) => answer.end('elsewhere')).listen(4000)`
    const [node, flag, script] = server('one', { answerMs: 200 }) as [string, string, string]
    await deploy(planOf([web(app, [node, flag, `${elsewhere};${script}`])], { owner: appOwner(app) }))
    const load = startLoad({ port: rack.httpPort, host: `${app}.localhost`, connections: 16 })
    const moved = web(app, server('two', { port: 4000 }), servesHttp(4000, [`${app}.localhost`]))
    await deploy(planOf([moved], { owner: appOwner(app), release: 'RBBBBBBBBBB' }))
    const hasMoved = async () => (await fetchText(rack.httpPort, `${app}.localhost`)) === 'two'
    await until(hasMoved, { deadlineMs: 5000, what: 'the new release' })
    const seen = await load.stop()
    assert.deepEqual([seen.failures, Object.keys(seen.bodies).sort()], [{}, ['one', 'two']])
  })

  test('a rolling deploy under load drops nothing, and the receipt counts it', async () => {
    const app = 'rolling'
    await deploy(planOf([web(app, server('one'))], { owner: appOwner(app) }))
    const load = startLoad({ port: rack.httpPort, host: `${app}.localhost`, connections: 16 })
    const receipt = await deploy(
      planOf([web(app, server('two', { afterMs: 300 }))], { owner: appOwner(app), release: 'RBBBBBBBBBB' }),
    )
    await until(() => fetchText(rack.httpPort, `${app}.localhost`).then((text) => text === 'two'), {
      deadlineMs: 5000,
      what: 'the new release',
    })
    const seen = await load.stop()
    assert.deepEqual(seen.failures, {})
    assert.deepEqual(Object.keys(seen.bodies).sort(), ['one', 'two'])
    assert.deepEqual([receipt.failed, receipt.replaced], [0, ['web']])
    assert.ok((receipt.requests ?? 0) > 10)
  })

  test('with a surge of half the count copies are replaced in waves, and nothing is dropped', async () => {
    const app = 'waves'
    const half = { count: 4, maximumPercent: 150, memoryBytes: 96 * 2 ** 20 }
    await deploy(planOf([web(app, server('one'), half)], { owner: appOwner(app) }))
    const load = startLoad({ port: rack.httpPort, host: `${app}.localhost`, connections: 8 })
    let most = 0
    const watching = new AbortController()
    const look = async () => {
      const up = (await running(app)).filter(({ status }) => status !== 'completed' && status !== 'crashed')
      most = Math.max(most, up.length)
      return watching.signal.aborted
    }
    const watch = until(look, { deadlineMs: 120_000, what: 'the end of the deploy' })
    await deploy(planOf([web(app, server('two'), half)], { owner: appOwner(app), release: 'RBBBBBBBBBB' }))
    watching.abort()
    await watch
    const seen = await load.stop()
    assert.deepEqual(seen.failures, {})
    assert.ok(most <= 6, `${most} copies at once`)
    assert.equal((await running(app)).filter(({ release }) => release === 'RBBBBBBBBBB').length, 4)
  })

  test('an old copy that crashes while it leaves does not fail the deploy', async () => {
    const app = 'crashing'
    await deploy(planOf([web(app, server('one'))], { owner: appOwner(app) }))
    const filters = { label: [`com.rack.name=${rack.rack}`, `com.rack.app=${app}`] }
    const query = { all: true, filters }
    const containers = await rack.docker.json<{ Id: string }[]>(
      { path: '/containers/json', query },
      controlFor(60_000),
    )
    const crashing = new AbortController()
    // From outside of Docker, which then starts it again, as it does after a crash.
    const crash = async (id: string) => {
      const look = rack.docker.json<{ State: { Pid: number } }>(
        { path: `/containers/${id}/json` },
        controlFor(60_000),
      )
      const pid = (await look.catch(() => null))?.State.Pid ?? 0
      if (pid > 1 && isThere(pid)) process.kill(pid, 'SIGKILL')
      return crashing.signal.aborted
    }
    const wait = { deadlineMs: 120_000, intervalMs: 10, what: 'the end of the deploy' }
    const crashes = containers.map(({ Id }) => until(() => crash(Id), wait))
    try {
      await deploy(planOf([web(app, server('two'))], { owner: appOwner(app), release: 'RBBBBBBBBBB' }))
    } finally {
      crashing.abort()
      await Promise.all(crashes)
    }
    assert.deepEqual(
      (await running(app)).map(({ release, status }) => [release, status]),
      Array.from({ length: 2 }, () => ['RBBBBBBBBBB', 'running']),
    )
  })

  test('a wave that fails after traffic has moved brings the old copies back', async () => {
    const app = 'broken-wave'
    const each = { count: 2, minimumPercent: 50, maximumPercent: 100, memoryBytes: 96 * 2 ** 20 }
    await deploy(planOf([web(app, server('one'), each)], { owner: appOwner(app) }))
    // The second copy of the new release finds the first one's mark on the volume, and fails.
    const marks = { kind: 'volume', volume: 'marks', path: '/marks', readOnly: false, noCopy: false } as const
    const script = `const fs = require('fs'); if (fs.existsSync('/marks/one')) process.exit(9); fs.writeFileSync('/marks/one', '')
      ${server('two')[2]}`
    const broken = web(app, ['node', '-e', script], { ...each, mounts: [marks] })
    const { first } = await failure(
      planOf([broken], { owner: appOwner(app), release: 'RBBBBBBBBBB', volumes: ['marks'] }),
    )
    assert.deepEqual([first.reason, first.exitCode], ['exited', 9])
    const now = await running(app)
    assert.deepEqual(
      now.map(({ release, status }) => [release, status]),
      Array.from({ length: 2 }, () => ['RAAAAAAAAAA', 'running']),
    )
    for (let index = 0; index < 6; index++)
      assert.equal(await fetchText(rack.httpPort, `${app}.localhost`), 'one')
  })

  test(
    'a copy is found by name only when it is healthy, and no more when it leaves',
    { timeout: 60_000 },
    async () => {
      const app = 'names'
      const peer = shell(sleeps, { type: 'peer' })
      const inside = {
        ports: [],
        internalPorts: [3000],
        count: 1,
        health: { ...processPlan().health, port: 3000 },
      }
      const api = (command: string[]) => web(app, command, { type: 'api', ...inside })
      await deploy(planOf([peer, api(server('one'))], { owner: appOwner(app) }))
      const caller = (await running(app)).find(({ type }) => type === 'peer')
      const old = (await running(app)).find(({ type }) => type === 'api')
      const resolve = async () => {
        const seen = collectTerminal()
        const lookUp = ['nslookup', 'api']
        await rack.engine.exec(caller!.id, lookUp, seen.terminal, controlFor(60_000))
        return Array.from(seen.stdout().matchAll(/Address: (10\.\S+)/g), ([, address]) => address)
      }
      assert.deepEqual(await resolve(), [old?.address])
      const deploying = deploy(
        planOf([peer, api(server('two', { afterMs: 2000 }))], {
          owner: appOwner(app),
          release: 'RBBBBBBBBBB',
        }),
      )
      await until(
        async () => (await running(app)).some(({ type, status }) => type === 'api' && status === 'starting'),
        {
          deadlineMs: 60_000,
          what: 'the new copy',
        },
      )
      assert.deepEqual(await resolve(), [old?.address], 'the new one is not healthy yet')
      await deploying
      const fresh = (await running(app)).find(({ type }) => type === 'api')
      assert.notEqual(fresh?.address, old?.address)
      assert.deepEqual(await resolve(), [fresh?.address])
    },
  )

  test('apps cannot reach each other', async () => {
    await deploy(planOf([web('alpha', server('secret'), { count: 1 })], { owner: appOwner('alpha') }))
    await deploy(planOf([shell(sleeps, { type: 'peer' })], { owner: appOwner('beta') }))
    const [target] = await running('alpha')
    const [caller] = await running('beta')
    const seen = collectTerminal()
    const ask = ['wget', '-q', '-T', '2', '-O', '-', `http://${target?.address}:3000/`]
    const code = await rack.engine.exec(caller!.id, ask, seen.terminal, controlFor(60_000))
    assert.notEqual(code, 0)
    assert.equal(seen.stdout(), '')
  })

  test('a crash loop is visible, with its reason', { timeout: 60_000 }, async () => {
    const loop = shell('test -f /tmp/again || { touch /tmp/again; sleep 3; }; exit 5')
    await deploy(planOf([loop], { owner: appOwner('loop') }))
    const [found] = await until(
      async () => {
        const found = await running('loop')
        return found[0]?.detail?.includes('crashed') && found
      },
      { deadlineMs: 60_000, what: 'the crash' },
    )
    assert.match(found?.detail ?? '', /^crashed \(5\)/)
    assert.equal(found?.status, 'restarting')
  })
})

async function fetchText(port: number, host: string): Promise<string> {
  const load = startLoad({ port, host, connections: 1 })
  await until(() => true, { deadlineMs: 100, what: 'a moment' })
  const { bodies } = await load.stop()
  return Object.keys(bodies)[0] ?? ''
}

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { createDockerEngine } from '../../src/engines/docker/docker-engine.ts'
import { createRouter } from '../../src/router/create-router.ts'
import { until } from '../../src/lib/poll.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { DeployOnce } from '../support/deploy-once.ts'
import { controlFor, dockerSocket, freePort } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { deployPlan } from '../support/deploy-plan.ts'

const program = fileURLToPath(new URL('../support/deploy-once.ts', import.meta.url))

/** Deploys in a program of its own, which is killed after so many ms, if it still runs. */
async function deployAndKill(settings: DeployOnce, killAfterMs: number): Promise<'killed' | 'deployed'> {
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  const [outcome] = await Promise.race([ended, pause(killAfterMs, ['late'])])
  if (outcome !== 'late') return 'deployed'
  child.kill('SIGKILL')
  await ended
  return 'killed'
}

test(
  'killed at any point of a deploy: the next one finishes or undoes it, and nobody notices',
  { timeout: 180_000 },
  async () => {
    const rack = `t-${randomBytes(4).toString('hex')}`
    const directory = await mkdtemp(join(tmpdir(), 'rack-'))
    await mkdir(join(directory, 'store'))
    const docker = connectDocker({ socketPath: dockerSocket })
    const { Id: image } = await docker.json<{ Id: string }>(
      { path: '/images/node:24-slim/json' },
      controlFor(5000),
    )
    const httpPort = await freePort()
    const pool = { cidr: `10.${200 + (randomBytes(1)[0]! % 40)}.0.0/16`, subnetBits: 24 }
    const app = 'killed'
    const type = (text: string) =>
      processPlan({
        image,
        count: 2,
        ...servesHttp(3000, ['killed.localhost']),
        memoryBytes: 96 * 2 ** 20,
        command: [
          'node',
          '-e',
          `const s = require('http').createServer((_, a) => a.end('${text}')).listen(3000)
         process.on('SIGTERM', () => s.close(() => process.exit(0)))`,
        ],
      })
    const plan = (text: string, release: string): Plan =>
      planOf([type(text)], { rack, owner: appOwner(app), release })
    const [first, second] = [plan('first', 'RAAAAAAAAAA'), plan('second', 'RBBBBBBBBBB')]

    const open = async () => {
      const store = await openStore({
        rack,
        directory: join(directory, 'store'),
        keyFile: join(directory, 'key'),
      })
      const router = createRouter({ directory: join(directory, 'router'), httpBind: '127.0.0.1', httpPort })
      const total = { cpuUnits: 65_536, memoryBytes: 2 ** 36 }
      const outside = { domain: 'localhost', httpPort }
      const settings = { docker, router, addresses: store.addresses, rack, total, pool, outside, randomBytes }
      const engine = createDockerEngine({ ...settings, directory: join(directory, 'engine') })
      await router.start(controlFor(60_000))
      return { store, router, engine }
    }

    const begun = await open()
    await begun.store.apps.create(app)
    await deployPlan(begun.engine, first, controlFor(60_000))
    await begun.engine.close()
    const load = startLoad({ port: httpPort, host: 'killed.localhost', connections: 4 })
    const settings = { rack, directory, socketPath: dockerSocket, httpPort, pool }
    const outcomes: string[] = []
    try {
      for (const [index, killAfterMs] of [150, 500, 900, 1300, 1700, 2100, 2600].entries()) {
        outcomes.push(await deployAndKill({ ...settings, plan: second }, killAfterMs))
        const now = await open()
        // Closed whatever happens: what it takes to its end would keep the program from ending.
        await using _closing = { [Symbol.asyncDispose]: async () => await now.engine.close() }
        // Undone and finished by turns; each time the first release is live again before the next kill.
        const wanted = index % 2 === 0 ? first : second
        await now.engine.start(controlFor(60_000))
        await deployPlan(now.engine, wanted, controlFor(60_000))
        // What the killed one had told to leave may still be draining.
        const all = async () =>
          await now.engine.processes({ owner: appOwner(app), all: true }, controlFor(60_000))
        const described = async () =>
          (await all()).map(({ type: name, status }) => `${name} ${status}`).join()
        await until(async () => (await described()) === 'web running,web running', {
          deadlineMs: 60_000,
          what: `two copies that run, after a kill at ${killAfterMs} ms`,
        })
        const listed = await docker.json<unknown[]>(
          { path: '/containers/json', query: { all: true, filters: { label: [`com.rack.name=${rack}`] } } },
          controlFor(5000),
        )
        assert.equal(listed.length, 2, 'no container is left over')
        await now.engine.sweep(
          { owners: [appOwner(app)], images: [], buildCache: false, volumes: false },
          controlFor(60_000),
        )
        assert.equal((await now.store.addresses.holders(app)).length, 2, 'no address is left over')
        const { bodies } = await askAFew(httpPort)
        assert.deepEqual(Object.keys(bodies), [wanted === first ? 'first' : 'second'])
        await deployPlan(now.engine, first, controlFor(60_000))
        await now.engine.close()
        await now.store.close()
      }
      assert.ok(outcomes.filter((outcome) => outcome === 'killed').length >= 4, outcomes.join())
      const seen = await load.stop()
      assert.deepEqual(seen.failures, {})
      assert.ok(seen.requests > 100)
    } finally {
      await load.stop()
      await begun.engine.remove(appOwner(app), { volumes: true }, controlFor(60_000))
      await begun.router.stop(controlFor(60_000))
      await begun.store.close()
      await rm(directory, { recursive: true, force: true })
    }
  },
)

async function askAFew(port: number) {
  const load = startLoad({ port, host: 'killed.localhost', connections: 2 })
  await until(() => load.soFar.requests > 20, { deadlineMs: 60_000, what: 'some answers' })
  return await load.stop()
}

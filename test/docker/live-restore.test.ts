import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import { examineEngine } from '../../src/host/doctor.ts'
import { until } from '../../src/lib/poll.ts'
import { deployPlan } from '../support/deploy-plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { startPrivateDockerd } from '../support/private-dockerd.ts'

const app = 'lives'
const serve = `mkdir -p /tmp/www; echo here > /tmp/www/index.html; trap 'exit 0' TERM
  httpd -f -p 3000 -h /tmp/www & wait $!`

const about = async (socketPath: string) =>
  (await examineEngine(socketPath)).map(({ check, status }) => `${check} ${status}`)

test(
  'with live-restore an app serves while Docker is restarted, and changes after it',
  { timeout: 180_000 },
  async () => {
    await using dockerd = await startPrivateDockerd({ liveRestore: true })
    assert.deepEqual(await about(dockerd.socketPath), ['docker engine good', 'live-restore good'])
    const image = await dockerd.load('busybox:1')
    const rack = await openDockerRack({ socketPath: dockerd.socketPath })
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rack.close())
    const { engine } = rack
    const web = processPlan({
      image,
      count: 2,
      memoryBytes: 32 * 2 ** 20,
      ...servesHttp(3000, ['lives.localhost']),
      command: ['sh', '-c', serve],
    })
    await engine.start(controlFor(60_000))
    await deployPlan(engine, planOf([web], { owner: appOwner(app), rack: rack.rack }), controlFor(60_000))
    const copies = async () => {
      const found = await engine.processes({ owner: appOwner(app) }, controlFor(60_000))
      return found.map(({ id, status, started, address }) => `${id} ${status} ${started} ${address}`)
    }
    const before = await copies()
    const load = startLoad({ port: rack.httpPort, host: 'lives.localhost', connections: 2 })
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const lost = engine.waitForLoss(controlFor(60_000))
      await dockerd.end(signal)
      await lost
      const soFar = load.soFar.requests
      await until(() => load.soFar.requests > soFar + 50, {
        deadlineMs: 60_000,
        what: 'answers without Docker',
      })
      await dockerd.start()
      await engine.start(controlFor(60_000))
      assert.deepEqual(await copies(), before, signal)
    }
    const { bodies, failures } = await load.stop()
    assert.deepEqual([Object.keys(bodies), failures], [['here\n'], {}])
    const next = planOf([{ ...web, environment: { NEXT: '1' } }], {
      owner: appOwner(app),
      rack: rack.rack,
      release: 'RBBBBBBBBBB',
    })
    await deployPlan(engine, next, controlFor(60_000))
    const after = await engine.processes({ owner: appOwner(app) }, controlFor(60_000))
    assert.deepEqual(
      after.map(({ release, status }) => `${release} ${status}`),
      ['RBBBBBBBBBB running', 'RBBBBBBBBBB running'],
    )
  },
)

test('an engine without it is told of', { timeout: 60_000 }, async () => {
  await using dockerd = await startPrivateDockerd()
  assert.deepEqual(await about(dockerd.socketPath), ['docker engine good', 'live-restore warning'])
})

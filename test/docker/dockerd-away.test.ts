import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { until } from '../../src/lib/poll.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { startPrivateDockerd } from '../support/private-dockerd.ts'
import { deployPlan } from '../support/deploy-plan.ts'

const app = 'away'

const isAway = (error: unknown) => error instanceof RackError && error.code === 'engine-unavailable'

function planFor(rack: string, image: string): Plan {
  const serve = `mkdir -p /tmp/www; echo here > /tmp/www/index.html; echo up; trap 'exit 0' TERM
    httpd -f -p 3000 -h /tmp/www & wait $!`
  const web = processPlan({
    image,
    count: 2,
    memoryBytes: 32 * 2 ** 20,
    ...servesHttp(3000, ['away.localhost']),
    command: ['sh', '-c', serve],
  })
  const count = "i=0; trap 'exit 0' TERM; while :; do echo beat $i; i=$((i+1)); sleep 0.1; done"
  const worker = processPlan({
    type: 'worker',
    image,
    memoryBytes: 32 * 2 ** 20,
    command: ['sh', '-c', count],
  })
  // Both end with 0: the one when it is stopped, the other by itself, a while after it was proved.
  const polite = processPlan({
    type: 'polite',
    image,
    restart: 'on-failure',
    memoryBytes: 32 * 2 ** 20,
    command: ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 0.1; done"],
  })
  const job = processPlan({
    type: 'job',
    image,
    restart: 'no',
    memoryBytes: 32 * 2 ** 20,
    command: ['sh', '-c', 'sleep 3; echo job done'],
  })
  return planOf([web, worker, polite, job], { owner: appOwner(app), rack })
}

test(
  'Docker stopped, and killed, then started: all comes back, logs whole',
  { timeout: 180_000 },
  async () => {
    await using dockerd = await startPrivateDockerd()
    const image = await dockerd.load('busybox:1')
    const rack = await openDockerRack({ socketPath: dockerd.socketPath })
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rack.close())
    const { engine } = rack
    const plan = planFor(rack.rack, image)
    await engine.start(controlFor(60_000))
    await deployPlan(engine, plan, controlFor(60_000))
    const statusOf = async (type: string) =>
      (await engine.processes({ owner: appOwner(app), type }, controlFor(5000)))[0]?.status
    await until(async () => (await statusOf('job')) === 'completed', {
      deadlineMs: 60_000,
      what: 'the job to be done',
    })
    await until(async () => (await beatsOf(engine)).includes(1), {
      deadlineMs: 60_000,
      what: 'a beat in the log',
    })
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const lost = engine.waitForLoss(controlFor(60_000))
      await dockerd.end(signal)
      await lost
      await assert.rejects(engine.processes({ owner: appOwner(app) }, controlFor(5000)), isAway)
      await assert.rejects(deployPlan(engine, plan, controlFor(5000)), isAway)
      const kept = await Array.fromAsync(
        engine.logs({ owner: appOwner(app), follow: false }, controlFor(5000)),
      )
      assert.ok(
        kept.some(({ text }) => text === 'beat 1'),
        'what was copied is readable without Docker',
      )
      await dockerd.start()
      await engine.start(controlFor(60_000))
      const receipt = await deployPlan(engine, plan, controlFor(60_000))
      assert.deepEqual(
        [receipt.kept.sort(), receipt.replaced],
        [['job', 'polite', 'web', 'worker'], []],
        signal,
      )
      const expected = ['job completed', 'polite running', 'web running', 'web running', 'worker running']
      let statuses: string[] = []
      const allRun = async () => {
        const running = await engine.processes({ owner: appOwner(app) }, controlFor(5000))
        statuses = running.map(({ type, status }) => `${type} ${status}`)
        return statuses.join() === expected.join()
      }
      // The router believes a copy that was down at its second good answer.
      const what = () => `${expected.join()} after ${signal}; there is ${statuses.join()}`
      await until(allRun, { deadlineMs: 60_000, what })
      const done = await Array.fromAsync(
        engine.logs({ owner: appOwner(app), types: ['job'], follow: false }, controlFor(5000)),
      )
      assert.deepEqual(
        done.map(({ text }) => text),
        ['job done'],
        'a job that is done is not run again',
      )
      const load = startLoad({ port: rack.httpPort, host: 'away.localhost', connections: 2 })
      await until(() => load.soFar.requests > 50, { deadlineMs: 60_000, what: 'fifty answers' })
      const { bodies, failures } = await load.stop()
      assert.deepEqual([Object.keys(bodies), failures], [['here\n'], {}], signal)
    }
    const hasThird = async () => /(\b0,1,2,.*){3}/.test((await beatsOf(engine)).join())
    await until(hasThird, { deadlineMs: 60_000, what: 'beats of the third start' })
    await assertWholeBeats(engine)
    await rack.close()
  },
)

async function beatsOf(engine: Awaited<ReturnType<typeof openDockerRack>>['engine']): Promise<number[]> {
  const query = { app, types: ['worker'], follow: false }
  const lines = await Array.fromAsync(engine.logs(query, controlFor(60_000)))
  return lines.map(({ text }) => Number(text.replace('beat ', '')))
}

/** Each start of the worker counts from 0: within one run no beat is missing or twice. */
async function assertWholeBeats(engine: Awaited<ReturnType<typeof openDockerRack>>['engine']): Promise<void> {
  let last = -1
  let runs = 0
  for (const beat of await beatsOf(engine)) {
    if (beat === 0) runs++
    else assert.equal(beat, last + 1)
    last = beat
  }
  assert.equal(runs, 3)
}

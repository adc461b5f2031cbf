import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { RackError } from '../../src/domain/error.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { startPrivateDockerd } from '../support/private-dockerd.ts'

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
  return planOf([web, worker], { app, rack })
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
    await engine.deploy(plan, controlFor(60_000))
    await pause(500)
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const lost = engine.waitForLoss(controlFor(60_000))
      await dockerd.end(signal)
      await lost
      await assert.rejects(engine.processes({ app }, controlFor(5000)), isAway)
      await assert.rejects(engine.deploy(plan, controlFor(5000)), isAway)
      const kept = await Array.fromAsync(engine.logs({ app, follow: false }, controlFor(5000)))
      assert.ok(
        kept.some(({ text }) => text === 'beat 1'),
        'what was copied is readable without Docker',
      )
      await dockerd.start()
      await engine.start(controlFor(20_000))
      const receipt = await engine.deploy(plan, controlFor(60_000))
      assert.deepEqual([receipt.kept.sort(), receipt.replaced], [['web', 'worker'], []], signal)
      const running = await engine.processes({ app }, controlFor(5000))
      assert.deepEqual(
        running.map(({ type, status }) => `${type} ${status}`),
        ['web running', 'web running', 'worker running'],
        signal,
      )
      const load = startLoad({ port: rack.httpPort, host: 'away.localhost', connections: 2 })
      await pause(500)
      const { bodies, failures } = await load.stop()
      assert.deepEqual([Object.keys(bodies), failures], [['here\n'], {}], signal)
    }
    await pause(500)
    await assertWholeBeats(engine)
    await rack.close()
  },
)

/** Each start of the worker counts from 0: within one run no beat is missing or twice. */
async function assertWholeBeats(engine: Awaited<ReturnType<typeof openDockerRack>>['engine']): Promise<void> {
  let last = -1
  let runs = 0
  for await (const { text } of engine.logs({ app, types: ['worker'], follow: false }, controlFor(10_000))) {
    const beat = Number(text.replace('beat ', ''))
    if (beat === 0) runs++
    else assert.equal(beat, last + 1)
    last = beat
  }
  assert.equal(runs, 3)
}

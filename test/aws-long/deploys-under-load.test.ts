import assert from 'node:assert/strict'
import { test } from 'node:test'
import { change, openKillWorld } from '../support/aws-kills.ts'
import { controlFor } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'

const deploys = 100
const connections = 32

test('a hundred deploys under load refuse nobody', async (t) => {
  const world = await openKillWorld()
  try {
    await world.anew(async (engine) => {
      let live = world.planFor('loaded', 'change')
      await engine.deploy(change(live, null), controlFor(90_000))
      let requests = 0
      for (let number = 1; number <= deploys; number++) {
        const load = startLoad({
          port: world.rack.httpPort,
          host: 'loaded.localhost',
          connections,
          restMs: 20,
        })
        const next = world.planFor('loaded', 'change')
        await engine.deploy(change(next, live), controlFor(90_000))
        const result = await load.stop()
        assert.deepEqual(result.failures, {}, `deploy ${number}`)
        requests += result.requests
        live = next
      }
      t.diagnostic(
        `${deploys} deploys, ${connections} connections, clock ${world.factor} times as fast: ${requests} requests, errors 0`,
      )
    })
    await world.sweepAll()
  } finally {
    await world.rack.close()
  }
})

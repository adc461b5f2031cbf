import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import { change, openKillWorld } from '../support/aws-kills.ts'
import { controlFor } from '../support/docker-rack.ts'

const sizes = [1, 20, 50]
/** They have pages, which are longer the more there is; the fake's are of ten, AWS's of a hundred and of 400. */
const listings = new Set(['ecs:ListServices', 'elasticloadbalancing:DescribeRules'])

/** How often a call waits for something to come true says nothing of how much there is. */
const waits = new Set([
  'ecs:DescribeTasks',
  'ecs:ListTasks',
  'route53:GetChange',
  'elasticloadbalancing:DescribeTargetHealth',
])

test('a deploy does not call more when there are more apps, but for the pages of listings', async (t) => {
  const world = await openKillWorld()
  const { calls } = world.rack.account
  try {
    await world.anew(async (engine) => {
      const counts: number[] = []
      let apps = 0
      for (const size of sizes) {
        for (; apps < size; apps++) {
          const plan = world.planFor(`app-${apps}`, 'change')
          await engine.deploy(change(plan, null), controlFor(90_000))
        }
        const one = world.planFor('measured', 'change')
        await engine.deploy(change(one, null), controlFor(90_000))
        calls.reset()
        await engine.deploy(change(world.planFor('measured', 'change'), one), controlFor(90_000))
        const made = Object.entries(calls.counts()).filter(
          ([call]) => !waits.has(call) && !listings.has(call),
        )
        counts.push(made.reduce((sum, [, count]) => sum + count, 0))
        t.diagnostic(
          `${size + 1} apps: ${calls.records.length} calls a deploy; ${JSON.stringify(calls.counts())}`,
        )
        calls.reset()
        const owners = [
          ...Array.from({ length: apps }, (_, at) => appOwner(`app-${at}`)),
          appOwner('measured'),
        ]
        await engine.sweep({ owners, images: [], buildCache: false, volumes: false }, controlFor(90_000))
        t.diagnostic(
          `${size + 1} apps: ${calls.records.length} calls a sweep; ${JSON.stringify(calls.counts())}`,
        )
        await engine.remove(appOwner('measured'), { volumes: true }, controlFor(90_000))
      }
      assert.ok(counts.at(-1)! <= counts[0]!, `calls that change or look, by size: ${counts.join(' ')}`)
    })
    await world.sweepAll()
  } finally {
    await world.rack.close()
  }
})

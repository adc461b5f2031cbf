import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import { awsTags, generationName, makeGenerationId, ownerTag } from '../../src/engines/aws/names.ts'
import { change, openKillWorld, type KillWorld } from '../support/aws-kills.ts'
import { controlFor } from '../support/docker-rack.ts'

const sizes = [1, 50, 200]
/**
 * They have pages, which are more the more there is: the fake's are of ten, AWS's of a hundred and of 400. Whose the rules are that
 * lead to nothing yet is asked of twenty at a time.
 */
const listings = new Set([
  'ecs:ListServices',
  'elasticloadbalancing:DescribeRules',
  'elasticloadbalancing:DescribeTags',
])

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
      await engine.deploy(change(world.planFor('app-0', 'change'), null), controlFor(90_000))
      let apps = 1
      for (const size of sizes) {
        for (; apps < size; apps++) await addApp(world, `app-${apps}`)
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

/** What listings have of an app: a service of each of two types, and a rule. Tasks of others are in no look of a deploy. */
async function addApp({ rack }: KillWorld, app: string): Promise<void> {
  const { clients, account, options } = rack
  const { cluster, subnets, securityGroups, balancer } = account.places
  const owner = appOwner(app)
  // Of the app that is there: nothing runs of it here.
  const { families = [] } = await clients.ecs.listTaskDefinitionFamilies({ status: 'ACTIVE' })
  for (const type of ['web', 'worker']) {
    const serviceName = generationName({ owner, type, id: makeGenerationId(randomBytes) })
    const network = { subnets, securityGroups: [securityGroups.processes] }
    await clients.ecs.createService({
      cluster,
      serviceName,
      taskDefinition: families[0]!,
      desiredCount: 0,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
      networkConfiguration: { awsvpcConfiguration: network },
    })
  }
  // A balancer has a hundred of them, and the app that is measured takes some.
  if (nextPriority === lastPriority) return
  await clients.balancers.createRule({
    ListenerArn: balancer.listeners.http,
    Priority: nextPriority++,
    Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: [`${app}.example.test`] } }],
    Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '503' } }],
    Tags: awsTags({ rack: options.rack, owner: ownerTag(owner), type: 'web' }),
  })
}

let nextPriority = 10_000
const lastPriority = 10_080

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import { plainRouting } from '../../src/domain/routing.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { serveText, shellCommand } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { visitLocally } from '../support/visits.ts'

let rack: Awaited<ReturnType<typeof openAwsRack>>
let image: string

before(async () => {
  rack = await openAwsRack()
  image = await rack.image('busybox:1')
})
after(async () => await rack.close())

const small = { cpuUnits: 64, memoryBytes: 32 * 2 ** 20 }
const host = (app: string) => `${app}.localhost`

function planFor(app: string, more: Partial<ProcessPlan> = {}): Plan {
  const web = processPlan({
    ...small,
    image,
    command: shellCommand([serveText(8080, 'here')]),
    ...servesHttp(8080, [host(app)]),
    ...more,
  })
  return planOf([web], { rack: rack.rack, owner: appOwner(app), release: 'ROOOOOOOOOO' })
}

const deploy = async (plan: Plan, live: Plan | null) =>
  await rack.engine.deploy(
    { plan, live, leaving: [], releaseCommands: noReleaseCommands },
    controlFor(60_000),
  )

const bringNames = async (plan: Plan) => await rack.engine.bringNames([plan], controlFor(30_000))

const answerOf = async (name: string) => await visitLocally(rack.httpPort)(name)
const tasksOf = async (app: string) =>
  (await rack.engine.processes({ owner: appOwner(app) }, controlFor(20_000))).map(({ id }) => id)

/** Settings of the only target group of an app. */
async function groupOf(app: string) {
  const { balancers, ecs } = rack.clients
  const { serviceArns = [] } = await ecs.listServices({ cluster: rack.account.places.cluster })
  const own = serviceArns.filter((arn) => arn.includes(`/${app}_`))
  const { services = [] } = await ecs.describeServices({
    cluster: rack.account.places.cluster,
    services: own,
  })
  const TargetGroupArn = services[0]!.loadBalancers![0]!.targetGroupArn!
  const { TargetGroups = [] } = await balancers.describeTargetGroups({ TargetGroupArns: [TargetGroupArn] })
  const { Attributes = [] } = await balancers.describeTargetGroupAttributes({ TargetGroupArn })
  return {
    path: TargetGroups[0]!.HealthCheckPath,
    interval: TargetGroups[0]!.HealthCheckIntervalSeconds,
    unhealthy: TargetGroups[0]!.UnhealthyThresholdCount,
    attributes: new Map(Attributes.map(({ Key, Value }) => [Key, Value])),
  }
}

test('what a file says of stickiness, draining and probes reaches copies that stay', async () => {
  const one = planFor('kept')
  await deploy(one, null)
  const before = await tasksOf('kept')
  const plain = await groupOf('kept')
  assert.equal(plain.attributes.get('stickiness.enabled'), 'false')
  const health = { ...one.processes[0]!.health, path: '/up', intervalMs: 20_000, unhealthyThreshold: 7 }
  const routing = { ...plainRouting, sticky: { by: 'source' as const } }
  const two = planFor('kept', { routing, health, drainTimeoutMs: 3000 })
  await deploy(two, one)
  const changed = await groupOf('kept')
  assert.deepEqual([changed.path, changed.interval, changed.unhealthy], ['/up', 20, 7])
  assert.equal(changed.attributes.get('stickiness.enabled'), 'true')
  assert.equal(changed.attributes.get('deregistration_delay.timeout_seconds'), '300')
  assert.deepEqual(await tasksOf('kept'), before)
  const { records } = rack.account.calls
  const begin = records.length
  await deploy(two, two)
  const again = records.slice(begin).filter(({ action }) => action.startsWith('ModifyTargetGroup'))
  assert.deepEqual(again, [], 'what is so is not written again')
})

test('a type that was never started answers 503, has its host, and gives it up', async () => {
  const app = 'asleep'
  const none = planFor(app, { count: 0 })
  await deploy(none, null)
  assert.equal((await answerOf(host(app)))?.status, 503)
  const elsewhere = { ...planFor('other'), processes: [{ ...none.processes[0]!, count: 1 }] }
  await assert.rejects(deploy(elsewhere, null), { code: 'port-taken', message: /asleep\.localhost/ })
  const moved = planFor(app, { count: 0, hosts: [`b.${host(app)}`] })
  await deploy(moved, none)
  assert.equal((await answerOf(`b.${host(app)}`))?.status, 503)
  assert.equal((await answerOf(host(app)))?.status, 404)
  const one = planFor(app, { hosts: [`b.${host(app)}`] })
  await deploy(one, moved)
  await bringNames(none)
  assert.deepEqual(await answerOf(`b.${host(app)}`), { status: 200, text: 'here' })
  assert.equal((await answerOf(host(app)))?.status, 404, 'what was read before the deploy is put back')
  const back = planFor(app, { count: 0 })
  await deploy(back, one)
  assert.equal((await answerOf(host(app)))?.status, 503, 'a host of a type of which nobody runs any more')
  await rack.engine.remove(appOwner(app), { volumes: true }, controlFor(60_000))
  await bringNames(back)
  assert.equal((await answerOf(host(app)))?.status, 404)
})

test('an app that was never started leaves no rule behind', async () => {
  const rules = async () =>
    (
      await rack.clients.balancers.describeRules({
        ListenerArn: rack.account.places.balancer.listeners.http,
      })
    ).Rules!.filter(({ Actions }) => Actions![0]!.Type === 'fixed-response').length
  const before = await rules()
  await deploy(planFor('gone', { count: 0 }), null)
  assert.equal(await rules(), before + 1)
  await rack.engine.remove(appOwner('gone'), { volumes: true }, controlFor(60_000))
  assert.equal(await rules(), before)
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomBytes } from 'node:crypto'
import { createClients } from '../../src/aws/clients.ts'
import type { RackError } from '../../src/domain/error.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import type { AwsEngine } from '../../src/engines/aws/aws-engine.ts'
import { withDeadline } from '../../src/lib/deadline.ts'
import { pause, until } from '../../src/lib/poll.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { print, serveText, shellCommand, sleep } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { listeningControl } from '../support/installation.ts'
import { startLoad } from '../support/load.ts'
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

/** A type that visitors reach, and one that nobody does; the text is the release. */
function planFor(app: string, text: string, release = text): Plan {
  const web = processPlan({
    ...small,
    image,
    command: shellCommand([serveText(8080, text)]),
    ...servesHttp(8080, [host(app)]),
    environment: { WORD: text },
  })
  const worker = processPlan({ ...small, type: 'worker', image, command: shellCommand([print(text), sleep]) })
  return planOf([web, worker], { rack: rack.rack, owner: appOwner(app), release })
}

const change = (plan: Plan, live: Plan | null) => ({
  plan,
  live,
  leaving: [],
  releaseCommands: noReleaseCommands,
})

const answerOf = async (app: string) => (await visitLocally(rack.httpPort)(host(app)))?.text

const releasesOf = async (app: string) => {
  const found = await rack.engine.processes({ owner: appOwner(app) }, controlFor(20_000))
  return found.map(({ type, release }) => `${type} ${release}`).toSorted()
}

const areAlone = async (app: string, release: string) =>
  await until(async () => (await releasesOf(app)).join() === `web ${release},worker ${release}`, {
    deadlineMs: 40_000,
    intervalMs: 300,
    what: `${release} to be alone`,
  })

test('parts come first and the service last; one call moves all rules; nothing goes before that', async () => {
  const { calls, faults } = rack.account
  const one = planFor('order', 'ROOOOOOOOOO')
  // D: as it says of a name whose secret is still being removed.
  const taken = new AwsError('InvalidRequestException', 'a secret with this name is scheduled for deletion')
  faults.set('secretsmanager:CreateSecret', { error: taken, times: 2 })
  // D: as it may say for a moment of one that was just made.
  const rule = new AwsError('RuleNotFoundException', 'One or more rules not found')
  faults.set('elasticloadbalancing:SetRulePriorities', { error: rule, times: 1 })
  await rack.engine.deploy(change(one, null), controlFor(60_000))
  const begin = calls.records.length
  // D: as it may say for a moment of a group whose rule was just made.
  const words = 'The target group does not have an associated load balancer.'
  faults.set('ecs:CreateService', { error: new AwsError('InvalidParameterException', words), times: 1 })
  // D: a report of 2020-12-21 and others, of groups that were made in the same second.
  const unknown = new AwsError('TargetGroupNotFoundException', 'One or more target groups not found')
  for (const action of ['ModifyTargetGroupAttributes', 'CreateRule'])
    faults.set(`elasticloadbalancing:${action}`, { error: unknown, times: 1 })
  await rack.engine.deploy(change(planFor('order', 'RTTTTTTTTTT'), one), controlFor(60_000))
  const made = calls.records.slice(begin).map(({ service, action }) => `${service}:${action}`)
  const first = (action: string) => made.indexOf(action)
  const order = [
    'secretsmanager:CreateSecret',
    'elasticloadbalancing:CreateTargetGroup',
    'elasticloadbalancing:CreateRule',
    'elasticloadbalancing:SetRulePriorities',
    'ecs:UpdateService',
  ]
  const places = order.map(first)
  assert.ok(!places.includes(-1), made.join())
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
  assert.ok(made.lastIndexOf('ecs:CreateService') > made.lastIndexOf('elasticloadbalancing:CreateRule'))
  assert.ok(made.lastIndexOf('ecs:CreateService') > made.lastIndexOf('servicediscovery:CreateService'))
  assert.equal(made.filter((each) => each === 'elasticloadbalancing:SetRulePriorities').length, 1)
  const gone = made.findIndex((each) => /:Delete/.test(each) && !each.startsWith('cloudformation'))
  assert.ok(gone === -1 || gone > first('elasticloadbalancing:SetRulePriorities'))
  assert.equal(await answerOf('order'), 'RTTTTTTTTTT')
})

test('what keeps a task from its start for a moment is told, and fails no deploy', async () => {
  const { startFailures } = rack.account
  // D: "Stopped tasks error messages": of a role that was made seconds ago, and of Fargate.
  startFailures.push(
    "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that was provided for this task.",
    'Timeout waiting for network interface provisioning to complete.',
  )
  const { heard, control } = listeningControl()
  await rack.engine.deploy(change(planFor('patient', 'RPPPPPPPPPP'), null), control)
  assert.equal(await answerOf('patient'), 'RPPPPPPPPPP')
  await areAlone('patient', 'RPPPPPPPPPP')
  assert.equal(heard.filter((text) => /a task was not started, which may pass/.test(text)).length, 2)
})

test('where the account knows no quota of Fargate, the rack gives what it was told', async () => {
  const { faults } = rack.account
  const engine = rack.reopen()
  const { total } = await engine.capacity(controlFor(20_000))
  faults.set('servicequotas:GetServiceQuota', { error: new AwsError('NoSuchResourceException', 'none') })
  assert.deepEqual((await rack.reopen().capacity(controlFor(20_000))).total, total)
  faults.clear()
})

/** A daemon that is killed at its first call of an action: none of its later ones is done or answered. */
async function withKilled(
  action: string,
  when: 'before' | 'after',
  work: (engine: AwsEngine) => Promise<void>,
): Promise<void> {
  const { account } = rack
  const accessKeyId = `AKIA${randomBytes(6).toString('hex').toUpperCase()}`
  const clients = createClients(account.access(accessKeyId))
  const engine = rack.reopen({ clients, onTrouble: () => undefined })
  const died = account.calls.kill(accessKeyId, { at: action, when })
  const dead = work(engine).catch(() => undefined)
  await withDeadline({ deadlineMs: 40_000, what: `a call of ${action}` }, async () => await died)
  await engine.close()
  clients.close()
  await dead
}

/** Where a daemon dies on its way from one release to the next, and whether the next may serve by then. */
const deaths: [string, 'before' | 'after'][] = [
  ['elasticloadbalancing:CreateRule', 'after'],
  ['ecs:CreateService', 'after'],
  ['elasticloadbalancing:SetRulePriorities', 'after'],
  ['ecs:UpdateService', 'before'],
]

for (const [action, when] of deaths) {
  for (const goal of ['same', 'previous'] as const) {
    test(`a daemon that dies ${when} ${action}: the ${goal} plan brings the app to rest`, async () => {
      const app = `k${deaths.findIndex(([name]) => name === action)}-${goal}`
      const [one, two] = [planFor(app, 'ROOOOOOOOOO'), planFor(app, 'RTTTTTTTTTT')]
      await rack.engine.deploy(change(one, null), controlFor(60_000))
      await withKilled(action, when, async (engine) => {
        await engine.deploy(change(two, one), controlFor(20_000))
      })
      assert.match((await answerOf(app)) ?? '', /^R(O{10}|T{10})$/, 'somebody serves meanwhile')
      const wanted = goal === 'same' ? two : one
      await rack.reopen().deploy(change(wanted, goal === 'same' ? one : two), controlFor(60_000))
      assert.equal(await answerOf(app), wanted.release)
      await areAlone(app, wanted.release)
    })
  }
}

test('what a daemon has made and never used is swept at the second look', async () => {
  const app = 'orphan'
  await withKilled('ecs:CreateService', 'before', async (engine) => {
    await engine.deploy(change(planFor(app, 'ROOOOOOOOOO'), null), controlFor(20_000))
  })
  const { clients } = rack
  const families = async () => {
    const { families: all = [] } = await clients.ecs.listTaskDefinitionFamilies({
      familyPrefix: `${app}_`,
      status: 'ACTIVE',
    })
    return all.length
  }
  assert.ok((await families()) > 0)
  const keep = { owners: [], images: [], buildCache: false, volumes: false }
  const kept = await rack.engine.processes({}, controlFor(20_000))
  const owners = [appOwner(app), ...kept.map(({ owner }) => owner)]
  await rack.engine.sweep({ ...keep, owners }, controlFor(60_000))
  assert.ok((await families()) > 0, 'what may be about to be used stays')
  await rack.engine.sweep({ ...keep, owners }, controlFor(60_000))
  assert.equal(await families(), 0)
  const { SecretList = [] } = await clients.secrets.listSecrets({
    Filters: [{ Key: 'name', Values: [`rack/${rack.rack}/${app}/`] }],
  })
  assert.deepEqual(SecretList, [])
})

test('of two apps that come to a way in at once one gets it, and the other is told', async () => {
  // Ports above are those of listeners that wait.
  const external = 20_000 + (randomBytes(2).readUInt16BE() % 10_000)
  const raw = { external, container: 8080, protocol: 'tcp' as const, proxy: false as const, secure: false }
  const ways = { host: servesHttp(8080, [host('both')]), port: { ports: [raw], internalPorts: [8080] } }
  for (const [way, serves] of Object.entries(ways)) {
    const plans = ['ROOOOOOOOOO', 'RTTTTTTTTTT'].map((text, index): Plan => {
      const plan = planFor(`${way}-${index}`, text)
      const { ports, internalPorts, hosts } = processPlan(serves)
      return { ...plan, processes: [{ ...plan.processes[0]!, ports, internalPorts, hosts }] }
    })
    const ends = await Promise.allSettled(
      plans.map(async (plan) => await rack.engine.deploy(change(plan, null), controlFor(60_000))),
    )
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as RackError] : []))
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['port-taken'],
      JSON.stringify(ends),
    )
    const winner = plans[ends.findIndex(({ status }) => status === 'fulfilled')]!
    const visited = way === 'host' ? host('both') : String(external)
    assert.equal((await visitLocally(rack.httpPort)(visited))?.text, winner.release)
  }
})

test('no request is lost while releases replace each other', async () => {
  const [one, two, three] = ['ROOOOOOOOOO', 'RTTTTTTTTTT', 'RHHHHHHHHHH'].map((text) =>
    planFor('load', text),
  ) as [Plan, Plan, Plan]
  await rack.engine.deploy(change(one, null), controlFor(60_000))
  const load = startLoad({ port: rack.httpPort, host: host('load'), connections: 4, restMs: 20 })
  await rack.engine.deploy(change(two, one), controlFor(60_000))
  const receipt = await rack.engine.deploy(change(three, two), controlFor(60_000))
  if (receipt.measurement !== null) await rack.engine.measure(receipt.measurement, controlFor(60_000))
  const { failures, requests, bodies } = await load.stop()
  assert.deepEqual(failures, {})
  assert.ok(requests > 100, String(requests))
  assert.deepEqual(
    Object.keys(bodies)
      .map((text) => text.trim())
      .toSorted(),
    ['RHHHHHHHHHH', 'ROOOOOOOOOO', 'RTTTTTTTTTT'],
  )
})

/** Two copies of web, of which no more than two may run at once. */
function wavesFor(app: string, text: string): Plan {
  const plan = planFor(app, text)
  const [web] = plan.processes
  return { ...plan, processes: [{ ...web!, count: 2, minimumPercent: 50, maximumPercent: 100 }] }
}

test('copies that a daemon has protected and left so leave when their turn comes', async () => {
  const [one, two] = [wavesFor('protected', 'ROOOOOOOOOO'), wavesFor('protected', 'RTTTTTTTTTT')]
  await rack.engine.deploy(change(one, null), controlFor(60_000))
  await withKilled('ecs:UpdateService', 'after', async (engine) => {
    await engine.deploy(change(two, one), controlFor(20_000))
  })
  await rack.reopen().deploy(change(two, one), controlFor(90_000))
  await until(async () => (await releasesOf('protected')).join() === 'web RTTTTTTTTTT,web RTTTTTTTTTT', {
    // Protection would end by itself after an hour of the account's.
    deadlineMs: 15_000,
    intervalMs: 300,
    what: 'the new release to be alone',
  })
})

test('copies are replaced by waves where no more may run, and meanwhile both releases serve', async () => {
  const [one, two] = [wavesFor('waves', 'ROOOOOOOOOO'), wavesFor('waves', 'RTTTTTTTTTT')]
  await rack.engine.deploy(change(one, null), controlFor(60_000))
  const load = startLoad({ port: rack.httpPort, host: host('waves'), connections: 4, restMs: 20 })
  const most = await mostCopiesDuring('waves', async () => {
    await rack.engine.deploy(change(two, one), controlFor(90_000))
  })
  const { failures } = await load.stop()
  assert.deepEqual(failures, {})
  assert.ok(most <= 3, `${most} copies`)
  await until(async () => (await releasesOf('waves')).join() === 'web RTTTTTTTTTT,web RTTTTTTTTTT', {
    deadlineMs: 40_000,
    intervalMs: 300,
    what: 'the new release to be alone',
  })
})

/** How many copies run or start at once at most, while something goes on. */
async function mostCopiesDuring(app: string, work: () => Promise<void>): Promise<number> {
  let most = 0
  const over = new AbortController()
  const look = async () => {
    while (!over.signal.aborted) {
      const found = await rack.engine.processes({ owner: appOwner(app) }, controlFor(20_000))
      const serving = found.filter(({ status }) => ['starting', 'running'].includes(status))
      most = Math.max(most, serving.length)
      await pause(200, AbortSignal.timeout(20_000))
    }
  }
  const looking = look()
  await work()
  over.abort()
  await looking
  return most
}

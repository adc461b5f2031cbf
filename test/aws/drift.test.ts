import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { generationOf } from '../../src/engines/aws/deploy/found-generation.ts'
import { createParts } from '../../src/engines/aws/create-parts.ts'
import { changeRecords, findRecords, recordChanges } from '../../src/engines/aws/inside/records.ts'
import { findGenerations } from '../../src/engines/aws/look/found.ts'
import { insideName, logGroupName, secretName } from '../../src/engines/aws/names.ts'
import { findRules } from '../../src/engines/aws/routes/rules.ts'
import { findVolumes } from '../../src/engines/aws/volumes/find-volumes.ts'
import { until } from '../../src/lib/poll.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { serveText, shellCommand } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { visitLocally } from '../support/visits.ts'

let rack: Awaited<ReturnType<typeof openAwsRack>>
let image: string
let parts: ReturnType<typeof createParts>

before(async () => {
  rack = await openAwsRack()
  image = await rack.image('busybox:1')
  parts = createParts(rack.options, new AbortController().signal)
})
after(async () => await rack.close())

/** As long as the tests of this file last together. */
const control = controlFor(300_000)

function planFor(app: string, { count = 1, keeps = false } = {}): Plan {
  const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: true } as const
  const web = processPlan({
    cpuUnits: 64,
    memoryBytes: 32 * 2 ** 20,
    image,
    count,
    command: shellCommand([serveText(8080, app)]),
    ...servesHttp(8080, [`${app}.localhost`]),
    environment: { WORD: app },
    drainTimeoutMs: 200,
    ...(keeps && { mounts: [mount], stopFirst: true }),
  })
  const release = 'ROOOOOOOOOO'
  return planOf([web], { rack: rack.rack, owner: appOwner(app), release, volumes: keeps ? ['data'] : [] })
}

/** What the rack heard of a deploy. */
async function deploy(plan: Plan, live: Plan | null): Promise<string> {
  const heard: string[] = []
  const own = {
    ...controlFor(90_000),
    report: (event: { text?: string }) => void heard.push(event.text ?? ''),
  }
  await rack.engine.deploy({ plan, live, leaving: [], releaseCommands: noReleaseCommands }, own as never)
  return heard.join('\n')
}

const isServed = async (app: string) =>
  await until(async () => (await visitLocally(rack.httpPort)(`${app}.localhost`))?.text === app, {
    deadlineMs: 20_000,
    intervalMs: 100,
    what: `${app} to be served`,
  })

async function generationNamed(app: string) {
  const [found] = await findGenerations(parts, { owner: appOwner(app) }, control)
  return found!
}

async function deleteRules(app: string) {
  const rules = await findRules(parts, parts.places.balancer, control)
  const own = rules.filter(({ conditions }) => JSON.stringify(conditions).includes(`${app}.localhost`))
  for (const { arn } of own) await rack.clients.balancers.deleteRule({ RuleArn: arn })
  return own.length
}

describe('what somebody has changed by hand', { concurrency: 4 }, () => {
  test('a rule that somebody has deleted is there again at the next look at names', async () => {
    const plan = planFor('rule')
    await deploy(plan, null)
    await isServed('rule')
    assert.equal(await deleteRules('rule'), 1)
    await rack.engine.bringNames([plan], control)
    await isServed('rule')
    assert.equal(await deleteRules('rule'), 1)
    assert.match(await deploy(plan, plan), /somebody has taken what leads to web on web: it is made anew/)
    await isServed('rule')
  })

  test('a service that somebody has deleted is made anew, and serves', async () => {
    const plan = planFor('service')
    await deploy(plan, null)
    const { name } = await generationNamed('service')
    await rack.clients.ecs.deleteService({ cluster: parts.places.cluster, service: name, force: true })
    await deploy(plan, plan)
    await isServed('service')
  })

  test('copies whose secret somebody has deleted are replaced', async () => {
    const plan = planFor('secret')
    await deploy(plan, null)
    const before = await generationNamed('secret')
    const SecretId = secretName(rack.rack, before)
    await rack.clients.secrets.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true })
    assert.match(await deploy(plan, plan), /somebody has taken its secret from web: its copies are replaced/)
    await isServed('secret')
  })

  test('copies whose target group somebody has deleted are replaced', async () => {
    const plan = planFor('group')
    await deploy(plan, null)
    const before = await generationNamed('group')
    await deleteRules('group')
    const [{ targetGroupArn: TargetGroupArn } = {}] = before.service.loadBalancers ?? []
    await rack.clients.balancers.deleteTargetGroup({ TargetGroupArn })
    assert.match(await deploy(plan, plan), /somebody has taken its target group from web/)
    await isServed('group')
  })

  test('a name inside that somebody has deleted is there again after the next deploy', async () => {
    const plan = planFor('record')
    await deploy(plan, null)
    const owner = appOwner('record')
    const records = await findRecords(parts, owner, control)
    await changeRecords(parts, recordChanges(records, new Map(), records.keys()), control)
    await deploy(plan, plan)
    const name = insideName(rack.rack, owner, 'web')
    assert.equal((await findRecords(parts, owner, control)).get(name), records.get(name))
  })

  test('copies whose entries in Cloud Map somebody has deleted are replaced, also where their service there is gone', async () => {
    const plan = planFor('entries')
    await deploy(plan, null)
    const registryNow = async () => {
      const found = (await findGenerations(parts, { owner: appOwner('entries') }, control)).map(generationOf)
      return found.find(({ state }) => state === 'proved')!.registry!
    }
    const registry = await registryNow()
    rack.account.entries.unlistByHand(registry)
    const told = /somebody has taken its entries in Cloud Map from web: its copies are replaced/
    assert.match(await deploy(plan, plan), told)
    const next = await registryNow()
    assert.notEqual(next, registry)
    rack.account.entries.unlistByHand(next)
    await rack.clients.discovery.deleteService({ Id: next.split('/')[1]! })
    assert.match(await deploy(plan, plan), told)
    await isServed('entries')
  })

  test('a log group that somebody has deleted is there again', async () => {
    const plan = planFor('logs')
    await deploy(plan, null)
    await rack.clients.logs.deleteLogGroup({ logGroupName: logGroupName(rack.rack, appOwner('logs')) })
    await deploy({ ...plan, processes: plan.processes.map((each) => ({ ...each, count: 2 })) }, plan)
  })

  test('an access point that somebody has deleted is made anew, with what lies in it', async () => {
    const plan = planFor('volume', { keeps: true })
    await deploy(plan, null)
    const [volume] = await findVolumes(parts, { owner: appOwner('volume') }, control)
    await rack.clients.files.deleteAccessPoint({ AccessPointId: volume!.id })
    await deploy(plan, plan)
    await isServed('volume')
  })

  test('a stack of an app that somebody has deleted is made anew', async () => {
    const plan = planFor('stack', { count: 0 })
    await deploy(plan, null)
    const StackName = `rack-${rack.rack}-app-stack`
    await rack.clients.stacks.deleteStack({ StackName })
    await deploy(planFor('stack'), plan)
    await isServed('stack')
  })
})

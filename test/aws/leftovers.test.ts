import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { pages } from '../../src/engines/aws/look/found.ts'
import { until } from '../../src/lib/poll.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { exit, pause as sleepFor, serveText, shellCommand } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'

let rack: Awaited<ReturnType<typeof openAwsRack>>
let image: string

before(async () => {
  rack = await openAwsRack()
  image = await rack.image('busybox:1')
})
afterEach(() => {
  rack.account.calls.hooks = {}
  rack.account.faults.clear()
})
after(async () => await rack.close())

function planFor(app: string, release: string): Plan {
  const web = processPlan({
    cpuUnits: 64,
    memoryBytes: 32 * 2 ** 20,
    image,
    command: shellCommand([serveText(8080, release)]),
    ...servesHttp(8080, [`${app}.localhost`]),
    environment: { WORD: release },
  })
  return planOf([web], { rack: rack.rack, owner: appOwner(app), release })
}

const change = (plan: Plan, live: Plan | null) => ({
  plan,
  live,
  leaving: [],
  releaseCommands: noReleaseCommands,
})
const keep = (...apps: string[]) => ({
  owners: apps.map(appOwner),
  images: [image],
  buildCache: false,
  volumes: false,
})
const deadline = { deadlineMs: 30_000, intervalMs: 200 }

/** What generations stand on, of all apps: families, secrets, target groups, services of Cloud Map and of ECS. */
async function countParts() {
  const { ecs, secrets, balancers, discovery } = rack.clients
  const { cluster } = rack.account.places
  const lists = {
    families: async (nextToken?: string) => {
      const page = await ecs.listTaskDefinitionFamilies({ status: 'ACTIVE', ...(nextToken && { nextToken }) })
      return { items: page.families ?? [], nextToken: page.nextToken }
    },
    secrets: async (NextToken?: string) => {
      const page = await secrets.listSecrets({ ...(NextToken && { NextToken }) })
      return { items: page.SecretList ?? [], nextToken: page.NextToken }
    },
    groups: async (Marker?: string) => {
      const page = await balancers.describeTargetGroups({ ...(Marker && { Marker }) })
      return { items: page.TargetGroups ?? [], nextToken: page.NextMarker }
    },
    registries: async (NextToken?: string) => {
      const page = await discovery.listServices({ ...(NextToken && { NextToken }) })
      return { items: page.Services ?? [], nextToken: page.NextToken }
    },
    services: async (nextToken?: string) => {
      const page = await ecs.listServices({ cluster, ...(nextToken && { nextToken }) })
      return { items: page.serviceArns ?? [], nextToken: page.nextToken }
    },
  }
  const count = async (
    list: (next?: string) => Promise<{ items: unknown[]; nextToken: string | undefined }>,
  ) => (await Array.fromAsync(pages(list))).length
  return {
    families: await count(lists.families),
    secrets: await count(lists.secrets),
    groups: await count(lists.groups),
    registries: await count(lists.registries),
    services: await count(lists.services),
  }
}

for (const action of ['servicediscovery:CreateService', 'elasticloadbalancing:CreateTargetGroup']) {
  test(`who cancels a deploy while it hears of ${action} leaves nothing of it`, async () => {
    const parts = await countParts()
    const client = new AbortController()
    rack.account.calls.hooks = {
      afterCall: ({ service, action: called }) => {
        if (`${service}:${called}` === action) client.abort(new RackError('cancelled', 'its client has left'))
      },
    }
    const control = { ...controlFor(60_000), signal: client.signal }
    const deploying = rack.engine.deploy(change(planFor('cancelled', 'ROOOOOOOOOO'), null), control)
    await assert.rejects(deploying, { code: 'cancelled' })
    let found: object = {}
    const isClear = async () => {
      found = await countParts()
      return JSON.stringify(found) === JSON.stringify(parts)
    }
    await until(isClear, { ...deadline, what: () => `nothing to be left: ${JSON.stringify(found)}` })
  })
}

/** What an account says no with, and what the user hears. */
const refusals: [action: string, error: AwsError, code: string, words: RegExp, hint: RegExp][] = [
  [
    'secretsmanager:CreateSecret',
    new AwsError(
      'AccessDeniedException',
      'User: arn:aws:iam::1:role/r is not authorized to perform: secretsmanager:CreateSecret on resource: rack/r/x with an explicit deny in a service control policy',
    ),
    'deploy-failed',
    /does not allow CreateSecret.*secretsmanager:CreateSecret on resource: rack\/r\/x.*explicit deny in a service control policy/s,
    /./,
  ],
  [
    'elasticloadbalancing:CreateTargetGroup',
    new AwsError('TooManyTargetGroups', "You've reached the limit on the number of target groups"),
    'capacity',
    /CreateTargetGroup meets a limit of the account.*number of target groups/s,
    /servicequotas\/home\/services\/elasticloadbalancing\/quotas/,
  ],
  [
    'ecs:CreateService',
    new AwsError(
      'InvalidParameterException',
      'Unable to assume the service linked role. Please verify that the ECS service linked role exists.',
    ),
    'deploy-failed',
    /web: .*Please verify that the ECS service linked role exists/s,
    /./,
  ],
  [
    'elasticfilesystem:DescribeAccessPoints',
    new AwsError('FileSystemNotFound', "File system 'fs-1' does not exist.", 404),
    'engine-failed',
    /DescribeAccessPoints: File system 'fs-1' does not exist/,
    /^/,
  ],
]

test('what the account refuses is told in its own words, and leaves nothing', async () => {
  const parts = JSON.stringify(await countParts())
  for (const [action, error, code, words, hint] of refusals) {
    // What may not be known yet is asked for again: it stays so.
    rack.account.faults.set(action, { error })
    const failed = await rack.engine
      .deploy(change(planFor('refused', 'ROOOOOOOOOO'), null), controlFor(60_000))
      .then(
        () => null,
        (thrown: RackError) => thrown,
      )
    rack.account.faults.clear()
    assert.equal(failed?.code, code, `${action}: ${failed?.message}`)
    assert.match(failed.message, words)
    assert.match(failed.hint ?? '', hint)
    const isClear = async () => JSON.stringify(await countParts()) === parts
    await until(isClear, { ...deadline, what: `nothing to be left of ${action}` })
  }
})

test('what a deploy is making is no orphan, however often it is swept meanwhile', async () => {
  let swept = 0
  rack.account.calls.hooks = {
    async beforeCall({ service, action }) {
      if (`${service}:${action}` !== 'ecs:CreateService' || swept > 0) return
      while (swept < 2) {
        swept++
        await rack.engine.sweep(keep('slow'), controlFor(20_000))
      }
    },
  }
  await rack.engine.deploy(change(planFor('slow', 'ROOOOOOOOOO'), null), controlFor(60_000))
  assert.equal(swept, 2)
})

test('a generation leaves though the account is away for a while', async () => {
  const [one, two] = [planFor('away', 'ROOOOOOOOOO'), planFor('away', 'RTTTTTTTTTT')]
  await rack.engine.deploy(change(one, null), controlFor(60_000))
  const { services } = await countParts()
  const error = new AwsError('UnrecognizedClientException', 'no such key')
  rack.account.faults.set('ecs:DeleteService', { error, times: 2 })
  await rack.engine.deploy(change(two, one), controlFor(60_000))
  await until(async () => (await countParts()).services === services, { ...deadline, what: 'one to leave' })
  assert.equal(rack.account.faults.take('ecs:DeleteService'), undefined)
})

test('the end of a one-off is heard though the account is away for a while', async () => {
  const running = await rack.engine.run(
    {
      owner: appOwner('away'),
      release: 'RAAAAAAAAAA',
      process: processPlan({ image, imageDigest: image }),
      command: shellCommand([sleepFor(1500), exit(7)]),
      kind: 'one-off',
      operation: 'OAAAAAAAAAA',
      timeoutMs: null,
    },
    null,
    controlFor(60_000),
  )
  const error = new AwsError('UnrecognizedClientException', 'no such key')
  rack.account.faults.set('ecs:DescribeTasks', { error, times: 2 })
  assert.equal(await running.exit, 7)
  assert.equal(rack.account.faults.take('ecs:DescribeTasks'), undefined)
})

test('of orphans one that cannot be taken away keeps no other, and goes at the next sweep', async () => {
  const { secrets } = rack.clients
  const prefix = `rack/${rack.rack}/lost/`
  for (const id of ['GAAAAAAAAAA', 'GBBBBBBBBBB'])
    await secrets.createSecret({ Name: `${prefix}web-${id}`, SecretString: '{}' })
  const left = async () => {
    const { SecretList = [] } = await secrets.listSecrets({ Filters: [{ Key: 'name', Values: [prefix] }] })
    return SecretList.length
  }
  const areLeft = async (count: number) =>
    await until(async () => (await left()) === count, { ...deadline, what: `${count} to be left` })
  const sweep = async () => await rack.engine.sweep(keep('slow', 'away', 'lost'), controlFor(30_000))
  await areLeft(2)
  await sweep()
  assert.equal(await left(), 2)
  const error = new AwsError('InvalidRequestException', 'not now')
  rack.account.faults.set('secretsmanager:DeleteSecret', { error, times: 1 })
  await sweep()
  await areLeft(1)
  await sweep()
  await areLeft(0)
})

test('an app that is removed takes along what a daemon that died has left of it, and of no other app', async () => {
  const { secrets } = rack.clients
  const left = async (app: string) => {
    const Filters = [{ Key: 'name' as const, Values: [`rack/${rack.rack}/${app}/`] }]
    return (await secrets.listSecrets({ Filters })).SecretList?.length
  }
  const areLeft = async (app: string, count: number) =>
    await until(async () => (await left(app)) === count, { ...deadline, what: `${count} of ${app}` })
  for (const app of ['gone', 'gone2'])
    await secrets.createSecret({ Name: `rack/${rack.rack}/${app}/web-GAAAAAAAAAA`, SecretString: '{}' })
  await areLeft('gone', 1)
  await areLeft('gone2', 1)
  await rack.engine.remove(appOwner('gone'), { volumes: false }, controlFor(30_000))
  await areLeft('gone', 0)
  assert.equal(await left('gone2'), 1)
  await rack.engine.remove(appOwner('gone2'), { volumes: false }, controlFor(30_000))
})

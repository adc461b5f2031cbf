import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { after, before, beforeEach, test } from 'node:test'
import { createInstallerClients, type InstallerClients } from '../../src/account/installer-clients.ts'
import { readCaller } from '../../src/account/caller.ts'
import { estimateMonth, type Quantity } from '../../src/aws/prices/estimate-month.ts'
import { installerPolicy } from '../../src/account/installer-policy.ts'
import { ensureLinkedRoles } from '../../src/account/linked-roles.ts'
import { assertPermitted, findMissingPermissions } from '../../src/account/missing-permissions.ts'
import type { RackError } from '../../src/domain/error.ts'
import { createFakeAccount } from '../fake-aws/account.ts'
import { clientConfig } from '../fake-aws/client-config.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { type FakeServer, startServer } from '../fake-aws/server.ts'
import { createIdentity } from '../fake-aws/small/identity.ts'
import { createLinkedRoles } from '../fake-aws/small/linked-roles.ts'
import { createPermissions, type GivenStatement } from '../fake-aws/small/permissions.ts'
import { createPrices } from '../fake-aws/small/prices.ts'
import { listeningControl } from '../support/installation.ts'

/** What an installation asks the account before it changes anything. */
const account = await createFakeAccount()
const permissions = createPermissions(account)
const linkedRoles = createLinkedRoles(account, false)
const { region } = account
const control = { signal: AbortSignal.timeout(50_000) }
let server: FakeServer
const opened: InstallerClients[] = []
const as = (accessKeyId: string) => {
  const { endpoint, credentials } = clientConfig(server, { accessKeyId })
  const clients = createInstallerClients({ region, endpoint, credentials })
  opened.push(clients)
  return clients
}

before(async () => {
  const { service } = permissions
  const iam = { ...service, actions: { ...service.actions, ...linkedRoles.actions } }
  const services = [createIdentity(account), iam, createPrices(account)]
  server = await startServer({ ...account, services })
})
beforeEach(() => server.faults.clear())
after(async () => {
  for (const clients of opened) clients.close()
  await server.close()
  account.clock.close()
  await rm(account.directory, { recursive: true })
  assert.deepEqual(account.troubles, [])
  assert.deepEqual(server.calls.refused, [])
})

const now = new Date('2026-11-30T12:00:00Z')
const quantities: Quantity[] = [
  { of: 'application-balancer', count: 1 },
  { of: 'address', count: 2 },
  { of: 'nat', count: 1 },
  { of: 'key', count: 1 },
  { of: 'zone', count: 2 },
]
const byUse = ['fargate-cpu', 'fargate-memory', 'secret'] as const

test('a month is priced by the list, of each thing its own, with its date', async () => {
  const estimate = await estimateMonth(as('ANNA').prices, { region, quantities, byUse, now }, control)
  assert.equal(estimate.missing, null)
  assert.deepEqual(
    [estimate.currency, estimate.read, estimate.published],
    ['USD', '2026-11-30', '2026-11-01'],
  )
  const monthly = Object.fromEntries(estimate.lines.map(({ of, monthly }) => [of, monthly]))
  // The fake's own prices: 2, 0.5 and 4 an hour, 7 and 5 a month, 0.25 and 0.125 an hour, 6 a month.
  assert.deepEqual(monthly, {
    'application-balancer': 2 * 730,
    address: 2 * 0.5 * 730,
    nat: 4 * 730,
    key: 7,
    zone: 10,
  })
  assert.equal(estimate.monthly, (2 + 1 + 4) * 730 + 17)
  assert.deepEqual(
    estimate.byUse.map(({ price }) => price),
    [0.25, 0.125, 6],
  )
})

test('where the price list does not answer, quantities stand alone', async () => {
  server.faults.set('pricing:GetProducts', { error: new AwsError('AccessDeniedException', 'not you') })
  const denied = await estimateMonth(as('ANNA').prices, { region, quantities, byUse, now }, control)
  assert.deepEqual([denied.monthly, denied.currency, denied.published], [null, null, null])
  assert.ok(denied.lines.every(({ price, monthly }) => price === null && monthly === null))
  assert.match(denied.missing ?? '', /could not be read: .*not you/)
  server.faults.clear()
  // A Region that the list does not know: the zone alone costs the same everywhere.
  const elsewhere = await estimateMonth(
    as('ANNA').prices,
    { region: 'eu-new-1', quantities, byUse, now },
    control,
  )
  assert.match(elsewhere.missing ?? '', /names none for: application load balancer, public IPv4/)
  assert.equal(elsewhere.monthly, 10)
})

test('a caller is known before anything else is asked; expired credentials say so', async () => {
  const caller = await readCaller(as('ANNA').identity, region, control)
  assert.deepEqual([caller.account, caller.name], [account.account, 'user/ANNA'])
  server.faults.set('sts:GetCallerIdentity', { error: new AwsError('ExpiredToken', 'old', 403) })
  await assert.rejects(readCaller(as('ANNA').identity, region, control), {
    code: 'unauthorized',
    message: 'the credentials of the account have expired',
  })
})

const rack = 'shop'
const everything = (
  installerPolicy({ rack, region, account: account.account }) as {
    Statement: GivenStatement[]
  }
).Statement

async function check(key: string) {
  const clients = as(key)
  const caller = await readCaller(clients.identity, region, control)
  return { caller, ...(await findMissingPermissions(clients.permissions, { caller, rack }, control)) }
}

test('whoever has the policy lacks nothing; the same for a session of a role', async () => {
  for (const key of ['BOB', 'ASIAROLE']) {
    permissions.give(key, { Statement: everything })
    const { missing, unknown } = await check(key)
    assert.deepEqual([missing, unknown], [[], null], key)
  }
})

test('each action is asked about on what it is judged on, not on any resource of the rack', async () => {
  const kept = new Set(['ecs:RunTask', 'ecs:ListTasks', 'cloudformation:DescribeStacks'])
  const statements = everything.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((action) => statement.Resource[0] !== '*' || !kept.has(action)),
  }))
  permissions.give('DORA', { Statement: statements })
  const { missing } = await check('DORA')
  assert.deepEqual(missing.map(({ action, resource }) => `${action} on ${resource}`).toSorted(), [
    'cloudformation:DescribeStacks on *',
    `ecs:ListTasks on arn:aws:ecs:${region}:${account.account}:container-instance/shop/1`,
    `ecs:RunTask on arn:aws:ecs:${region}:${account.account}:task-definition/web_web_1:1`,
  ])
})

test('what is missing is named, with its resource and whose no it is', async () => {
  const without = everything.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((action) => !action.startsWith('kms:')),
  }))
  const denied: GivenStatement = { Effect: 'Deny', Action: ['ecs:CreateCluster'], Resource: ['*'] }
  permissions.give('CLEO', { Statement: [...without, denied] })
  const { caller, missing, unknown } = await check('CLEO')
  assert.equal(unknown, null)
  const told = new Map(missing.map(({ action, by }) => [action, by]))
  assert.deepEqual(
    [told.get('kms:CreateKey'), told.get('ecs:CreateCluster')],
    ['nobody', 'a policy that denies it'],
  )
  assert.ok(missing.every(({ action }) => action.startsWith('kms:') || action === 'ecs:CreateCluster'))
  assert.throws(
    () => assertPermitted({ missing, unknown }, { caller, rack }),
    (error: RackError) => {
      assert.match(
        error.message,
        /ecs:CreateCluster on arn:aws:ecs:\S+:cluster\/shop: not allowed by a policy/,
      )
      assert.match(error.hint ?? '', /--policy --region eu-test-1 --name shop/)
      return error.code === 'engine-failed'
    },
  )
})

test('a limit of the organization is told from a boundary', async () => {
  const but = (Action: string[]): GivenStatement[] => [
    { Effect: 'Allow', Action: ['*'], Resource: ['*'] },
    { Effect: 'Deny', Action, Resource: ['*'] },
  ]
  permissions.give('DAN', {
    Statement: everything,
    limits: { organization: but(['ec2:CreateVpc']), boundary: but(['iam:CreateRole']) },
  })
  const { missing } = await check('DAN')
  assert.deepEqual(
    missing.map(({ action, by }) => `${action} ${by}`).toSorted((a, b) => (a < b ? -1 : 1)),
    ['ec2:CreateVpc the organization', 'iam:CreateRole a permissions boundary'],
  )
})

test('what hangs on a condition that only the call itself shows is not missing, and told as not known', async () => {
  const mfa = 'aws:MultiFactorAuthPresent'
  const withoutIt: GivenStatement = {
    Effect: 'Deny',
    Action: ['*'],
    Resource: ['*'],
    Condition: { BoolIfExists: { [mfa]: 'false' } },
  }
  const withIt = everything.map((statement) => ({ ...statement, Condition: { Bool: { [mfa]: 'true' } } }))
  for (const Statement of [[...everything, withoutIt], withIt]) {
    permissions.give('IDA', { Statement })
    const { missing, unknown } = await check('IDA')
    assert.deepEqual([missing, unknown], [[], `it hangs on ${mfa}`])
  }
})

test('where nobody answers, or may be asked, that is said, and nothing is missing', async () => {
  for (const error of [
    new AwsError('AccessDenied', 'ask not', 403),
    new AwsError('InvalidInput', 'ask not'),
  ]) {
    server.faults.set('iam:SimulatePrincipalPolicy', { error })
    const { missing, unknown } = await check('EVE')
    assert.deepEqual(missing, [])
    assert.match(unknown ?? '', /ask not/)
  }
})

test('roles of services are made where the account has none; what may not be made is told', async () => {
  const { permissions: roles } = as('FAY')
  const error = new AwsError('AccessDenied', 'make not', 403)
  server.faults.set('iam:CreateServiceLinkedRole', { error, times: 1 })
  const { heard, control: told } = listeningControl()
  await ensureLinkedRoles({ roles }, told)
  assert.match(heard.join('\n'), /^whether the account has the role of ecs is not known: .*make not/)
  for (const AWSServiceName of ['rds.amazonaws.com', 'elasticache.amazonaws.com'])
    await assert.rejects(roles.createServiceLinkedRole({ AWSServiceName }), /has been taken/)
  const made = await roles.createServiceLinkedRole({ AWSServiceName: 'ecs.amazonaws.com' })
  assert.equal(made.Role?.RoleName, 'AWSServiceRoleForECS')
  await ensureLinkedRoles({ roles }, told)
  assert.equal(heard.length, 1)
})

import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { CloudFormation } from '@aws-sdk/client-cloudformation'
import { until } from '../../../src/lib/poll.ts'
import { createFakeAccount } from '../account.ts'
import { clientConfig } from '../client-config.ts'
import { type FakeServer, startServer } from '../server.ts'
import { createImages } from '../small/images.ts'
import { createLogs } from '../small/logs.ts'
import { createObjects } from '../small/objects.ts'
import { createSecrets } from '../small/secrets.ts'
import { createStacks, type FakeStacks } from './create-stacks.ts'

const account = await createFakeAccount({ factor: 500 })
let server: FakeServer
const used = new Set<string>()
let stacks: FakeStacks
let client: CloudFormation
const { groups } = createLogs(account)

before(async () => {
  const objects = createObjects(account)
  const { repositories } = createImages(account)
  const secrets = createSecrets(account)
  stacks = await createStacks({
    account,
    logGroups: groups,
    repositories,
    usesSecurityGroup: (id) => used.has(id),
    readObject: (bucket, key) => objects.read(bucket, key),
    readSecret: (arn) => secrets.maker.read(arn),
  })
  server = await startServer({ ...account, services: [stacks.service] })
  client = new CloudFormation(clientConfig(server))
})
after(async () => {
  await server.close()
  account.clock.close()
  await rm(account.directory, { recursive: true })
  assert.deepEqual(account.troubles, [])
})

const policy = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ecs-tasks.amazonaws.com' } },
  ],
}

interface Wanted {
  retention?: number
  roleName?: string
  logs?: object
  more?: object
}

const template = ({ retention = 30, roleName = 'r-a-task', logs = {}, more = {} }: Wanted = {}) => ({
  Resources: {
    Logs: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: '/rack/r/a', RetentionInDays: retention, ...logs },
    },
    Group: {
      Type: 'AWS::EC2::SecurityGroup',
      Properties: { GroupDescription: 'processes of a', VpcId: 'vpc-1' },
    },
    Inside: {
      Type: 'AWS::EC2::SecurityGroupIngress',
      Properties: {
        GroupId: { 'Fn::GetAtt': ['Group', 'GroupId'] },
        IpProtocol: '-1',
        SourceSecurityGroupId: { 'Fn::GetAtt': ['Group', 'GroupId'] },
      },
    },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: { RoleName: roleName, Path: '/rack/r/app/', AssumeRolePolicyDocument: policy },
    },
    ...more,
  },
  Outputs: {
    Role: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] } },
    Text: { Value: { 'Fn::Sub': '${AWS::StackName}:${Logs}' } },
  },
})

let sets = 0

async function offer(
  StackName: string,
  ChangeSetType: 'CREATE' | 'UPDATE',
  wanted: object,
  Capabilities: 'CAPABILITY_NAMED_IAM'[] = ['CAPABILITY_NAMED_IAM'],
) {
  sets += 1
  const ChangeSetName = `set-${sets}`
  await client.createChangeSet({
    StackName,
    ChangeSetName,
    ChangeSetType,
    TemplateBody: JSON.stringify(wanted),
    Capabilities,
  })
  return await until(
    async () => {
      const set = await client.describeChangeSet({ StackName, ChangeSetName })
      return !set.Status?.match(/PENDING|IN_PROGRESS/) && set
    },
    { deadlineMs: 5000, what: 'the change set' },
  )
}

async function carryOut(StackName: string, ChangeSetType: 'CREATE' | 'UPDATE', wanted: object) {
  const { ChangeSetName } = await offer(StackName, ChangeSetType, wanted)
  await client.executeChangeSet({ StackName, ChangeSetName: ChangeSetName! })
  return await settled(StackName)
}

async function settled(StackName: string) {
  return await until(
    async () => {
      const { Stacks } = await client.describeStacks({ StackName })
      return !Stacks![0]!.StackStatus!.endsWith('_IN_PROGRESS') && Stacks![0]!
    },
    { deadlineMs: 5000, what: 'the stack' },
  )
}

test('a stack is made, changed, found unchanged and deleted', async () => {
  const made = await carryOut('rack-r-app-a', 'CREATE', template())
  assert.equal(made.StackStatus, 'CREATE_COMPLETE')
  assert.deepEqual(
    made.Outputs?.map(({ OutputValue }) => OutputValue),
    [`arn:aws:iam::${account.account}:role/rack/r/app/r-a-task`, 'rack-r-app-a:/rack/r/a'],
  )
  const same = await offer('rack-r-app-a', 'UPDATE', template())
  assert.deepEqual([same.Status, same.StatusReason?.includes("didn't contain changes")], ['FAILED', true])
  const refused = client.executeChangeSet({ ChangeSetName: same.ChangeSetId })
  await assert.rejects(refused, { name: 'InvalidChangeSetStatusException' })
  const changed = await offer('rack-r-app-a', 'UPDATE', template({ retention: 14, roleName: 'r-a-other' }))
  const about = changed.Changes?.map(({ ResourceChange }) => [
    ResourceChange?.LogicalResourceId,
    ResourceChange?.Replacement,
  ])
  assert.deepEqual(about, [
    ['Logs', 'False'],
    ['Role', 'True'],
  ])
  await client.executeChangeSet({ ChangeSetName: changed.ChangeSetId })
  assert.equal((await settled('rack-r-app-a')).StackStatus, 'UPDATE_COMPLETE')
  assert.deepEqual([...stacks.inventory.roles], [`arn:aws:iam::${account.account}:role/rack/r/app/r-a-other`])
  await client.deleteStack({ StackName: 'rack-r-app-a' })
  await client.deleteStack({ StackName: 'rack-r-app-a' })
  assert.equal((await settled(made.StackId!)).StackStatus, 'DELETE_COMPLETE')
  await assert.rejects(client.describeStacks({ StackName: 'rack-r-app-a' }), { name: 'ValidationError' })
  await client.deleteStack({ StackName: 'rack-r-app-a' })
})

test('what fails is taken back, and such a stack can only be deleted', async () => {
  const failed = await carryOut('rack-r-app-b', 'CREATE', template({ logs: { Nonsense: 1 } }))
  assert.equal(failed.StackStatus, 'ROLLBACK_COMPLETE')
  assert.equal(stacks.inventory.roles.size, 0)
  const { StackEvents } = await client.describeStackEvents({ StackName: 'rack-r-app-b' })
  const reasons = StackEvents!.map(({ ResourceStatusReason }) => ResourceStatusReason ?? '')
  assert.ok(reasons.some((reason) => reason.includes('Encountered unsupported property Nonsense')))
  await assert.rejects(
    offer('rack-r-app-b', 'UPDATE', template()),
    /is in ROLLBACK_COMPLETE state and can not be updated/,
  )
  await client.deleteStack({ StackName: 'rack-r-app-b' })
  await settled(failed.StackId!)
  assert.equal((await carryOut('rack-r-app-b', 'CREATE', template())).StackStatus, 'CREATE_COMPLETE')
  stacks.failNext('rack-r-app-b', 'Group2', 'no more groups')
  const more = { Group2: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'b' } } }
  const updated = await carryOut('rack-r-app-b', 'UPDATE', template({ retention: 7, more }))
  assert.equal(updated.StackStatus, 'UPDATE_ROLLBACK_COMPLETE')
})

test('a rule of a security group is there once, and a group holds sixty of each kind', async () => {
  const rule = (more: object) => ({
    Type: 'AWS::EC2::SecurityGroupIngress',
    Properties: { GroupId: { Ref: 'Group' }, IpProtocol: 'tcp', FromPort: 25, ToPort: 25, ...more },
  })
  const group = { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'ports', VpcId: 'vpc-1' } }
  const made = await carryOut('rack-r-ports-a', 'CREATE', {
    Resources: { Group: group, One: rule({ CidrIp: '10.0.0.0/8' }), Six: rule({ CidrIpv6: '::/0' }) },
    Outputs: { Group: { Value: { Ref: 'Group' } } },
  })
  const GroupId = made.Outputs![0]!.OutputValue!
  const rules = () => [...stacks.inventory.ingress.values()].flat().map(({ range }) => range)
  assert.deepEqual(rules().toSorted(), ['10.0.0.0/8', '::/0'])
  const again = { One: rule({ GroupId, CidrIp: '10.0.0.0/8' }) }
  const twice = await carryOut('rack-r-ports-b', 'CREATE', { Resources: again })
  assert.equal(twice.StackStatus, 'ROLLBACK_COMPLETE')
  const many = Array.from({ length: 60 }, (_each, at) => [
    `Rule${at}`,
    rule({ GroupId, CidrIp: `10.${at}.0.0/16` }),
  ])
  const full = await carryOut('rack-r-ports-c', 'CREATE', { Resources: Object.fromEntries(many) })
  assert.equal(full.StackStatus, 'ROLLBACK_COMPLETE')
  await client.deleteStack({ StackName: 'rack-r-ports-a' })
  await settled(made.StackId!)
  assert.deepEqual(rules(), [])
})

test('templates that AWS would not take are refused', async () => {
  await assert.rejects(offer('c', 'CREATE', template(), []), { name: 'InsufficientCapabilitiesException' })
  await assert.rejects(
    offer('c', 'CREATE', template({ more: { A: { Type: 'AWS::No::Type' } } })),
    /Unrecognized resource types/,
  )
  await assert.rejects(offer('c', 'CREATE', template({ more: { A: { Type: 'AWS::S3::Bucket' } } })), {
    name: 'NotModelledException',
  })
  const lost = { A: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: { Ref: 'Lost' } } } }
  await assert.rejects(
    offer('c', 'CREATE', template({ more: lost })),
    /Unresolved resource dependencies \[Lost\]/,
  )
  await assert.rejects(offer('c', 'UPDATE', template()), /Stack \[c\] does not exist/)
})

test("the engine's template of an app makes all that it names, and nothing is left when it goes", async () => {
  const golden = join(import.meta.dirname, '../../golden/aws/app-stack.json')
  const wanted = JSON.parse(await readFile(golden, 'utf8')) as ReturnType<typeof template>
  const before = [stacks.inventory.roles.size, stacks.inventory.securityGroups.size]
  const made = await carryOut('rack-r1-app-shop', 'CREATE', wanted)
  assert.equal(made.StackStatus, 'CREATE_COMPLETE')
  const outputs = made.Outputs!.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue])
  const { SecurityGroup, ExecutionRole, TaskRole } = Object.fromEntries(outputs) as Record<string, string>
  assert.ok(stacks.inventory.securityGroups.has(SecurityGroup!))
  assert.ok(stacks.inventory.roles.has(ExecutionRole!) && stacks.inventory.roles.has(TaskRole!))
  used.add(SecurityGroup!)
  await client.deleteStack({ StackName: 'rack-r1-app-shop' })
  assert.equal((await settled(made.StackId!)).StackStatus, 'DELETE_FAILED')
  used.clear()
  await client.deleteStack({ StackName: 'rack-r1-app-shop' })
  assert.equal((await settled(made.StackId!)).StackStatus, 'DELETE_COMPLETE')
  assert.deepEqual([stacks.inventory.roles.size, stacks.inventory.securityGroups.size], before)
})

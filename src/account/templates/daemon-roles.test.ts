import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { evaluate, type GivenStatement } from '../../../test/fake-aws/small/permissions.ts'
import { nameWithin } from '../../../test/fake-aws/stacks/name-within.ts'
import { resolved, type Made } from '../../../test/fake-aws/stacks/template.ts'
import { engineCalls } from '../../../test/support/engine-actions.ts'
import { anywhere, stackCalls } from '../../../test/support/stack-calls.ts'
import { webBalancerPrefix } from '../../aws/web-balancer.ts'
import { judgedOn } from '../judged-on.ts'
import { daemonRoles } from './daemon-roles.ts'

const scope = { rack: 'shop', region: 'eu-west-1', account: '123456789012' }
const here = `${scope.region}:${scope.account}`
const arn = (service: string, end: string) => `arn:aws:${service}:${here}:${end}`
const iam = (end: string) => `arn:aws:iam::${scope.account}:${end}`

const boundary = iam('policy/rack/shop/rack-shop-boundary')
const values = {
  pseudo: { 'AWS::Partition': 'aws', 'AWS::Region': scope.region, 'AWS::AccountId': scope.account },
  parameters: {
    Bucket: 'rack-shop-base-bucket-1',
    Key: arn('kms', 'key/1'),
    FileSystem: 'fs-1',
    Zone: 'Z1',
    StorePassword: arn('secretsmanager', 'secret:rack/shop/_store-password-1'),
    StoreKey: arn('secretsmanager', 'secret:rack/shop/_store-key-1'),
  },
  made: new Map<string, Made>([
    ['Boundary', { physical: boundary, attributes: {} }],
    ['Balancer', { physical: arn('elb', 'x'), attributes: { LoadBalancerFullName: 'app/rack-1/1' } }],
    ['Cluster', { physical: 'shop', attributes: { Arn: arn('ecs', 'cluster/shop') } }],
  ]),
}

const roles = daemonRoles({
  rack: scope.rack,
  inside: { domain: 'apps.test' },
  permissionsBoundary: undefined,
})
const further = `app/${webBalancerPrefix(scope.rack)}2`

/** A role's policy, as IAM has it; what hangs on a condition is allowed where that holds. */
function policyOf(role: string, of = roles): { Statement: (GivenStatement & { Condition?: object })[] } {
  const { Policies } = resolved(of[role]!.Properties, values) as {
    Policies: { PolicyDocument: { Statement: Record<'Action' | 'Resource', string | string[]>[] } }[]
  }
  const list = (value: string | string[]) => [value].flat()
  const Statement = Policies[0]!.PolicyDocument.Statement.map((each) => ({
    ...each,
    Action: list(each.Action),
    Resource: list(each.Resource),
  }))
  return { Statement: Statement as unknown as GivenStatement[] }
}

const elb = (action: string) => `elasticloadbalancing:${action}`
const decision = (role: string, action: string, resource: string) =>
  evaluate(policyOf(role), action, resource).EvalDecision

/** Rooms of the daemon of which the engine is made, and what it keeps. */
const rooms = ['aws', 'engines/aws', 'objects', 'main']
/** On what the daemon is judged where an installer is on more: names of these are AWS's, or of what it makes alone. */
const ownOnly: Record<string, string> = {
  cloudformation: arn('cloudformation', 'stack/rack-shop-app-web/1'),
  elasticfilesystem: arn('elasticfilesystem', 'file-system/fs-1'),
  route53: 'arn:aws:route53:::hostedzone/Z1',
}
const askedOfAll = /:(Describe|List)(Stacks|HostedZones)$|:GetChange$/

test('the daemon may do every call that its code makes', async () => {
  const root = join(import.meta.dirname, '../..')
  const files = await Array.fromAsync(glob(`{${rooms.join(',')}}/**/*.ts`, { cwd: root }))
  const sources = files.filter((file) => !file.endsWith('.test.ts'))
  const text = (await Promise.all(sources.map((file) => readFile(join(root, file), 'utf8')))).join('\n')
  const isMade = (call: string) => {
    const [, name = ''] = call.split(':')
    return new RegExp(`\\.${name[0]!.toLowerCase()}${name.slice(1)}\\(`).test(text)
  }
  const made = (await engineCalls()).filter(({ call }) => isMade(call))
  assert.ok(made.length > 80, `${made.length}`)
  const refused = made.flatMap(({ action }) => {
    const own = askedOfAll.test(action) ? undefined : ownOnly[action.split(':')[0]!]
    const on = own === undefined ? judgedOn(action, scope) : [own]
    return on
      .filter((resource) => decision('DaemonRole', action, resource) !== 'allowed')
      .map((resource) => `${action} on ${resource}`)
  })
  assert.deepEqual(refused, [])
})

test('it passes the roles of apps and the one of its stacks, and writes none; its own secrets are closed to it', () => {
  const may: [action: string, resource: string, as: string][] = [
    ['iam:PassRole', iam('role/rack/shop/app/shop-web-task'), 'allowed'],
    ['iam:PassRole', iam('role/rack/shop/rack-shop-stacks'), 'allowed'],
    ['iam:PassRole', iam('role/rack/shop/rack-shop-daemon'), 'implicitDeny'],
    ['iam:CreateRole', iam('role/rack/shop/app/x'), 'implicitDeny'],
    ['iam:PutRolePolicy', iam('role/rack/shop/app/x'), 'implicitDeny'],
    ['cloudformation:DeleteStack', arn('cloudformation', 'stack/rack-shop-base/1'), 'implicitDeny'],
    ['cloudformation:DeleteStack', arn('cloudformation', 'stack/rack-shop/1'), 'implicitDeny'],
    ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:rack/shop/web/web-1'), 'allowed'],
    ['secretsmanager:GetSecretValue', values.parameters.StoreKey, 'explicitDeny'],
    ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:rack/other/web/web-1'), 'implicitDeny'],
    ['s3:GetObject', 'arn:aws:s3:::another/1', 'implicitDeny'],
    ['rds:ModifyDBInstance', arn('rds', 'db:rack-shop-base-store-1'), 'implicitDeny'],
    ['ecs:DeleteService', arn('ecs', 'service/other/x'), 'implicitDeny'],
    [elb('ModifyRule'), arn('elasticloadbalancing', 'listener-rule/app/rack-1/1/1/1'), 'allowed'],
    [elb('ModifyRule'), arn('elasticloadbalancing', 'listener-rule/app/rack-2/1/1/1'), 'implicitDeny'],
    [elb('CreateRule'), arn('elasticloadbalancing', 'listener/app/rack-2/1/1'), 'implicitDeny'],
    [elb('ModifyRule'), arn('elasticloadbalancing', `listener-rule/${further}/1/1/1`), 'allowed'],
    [
      elb('ModifyRule'),
      arn('elasticloadbalancing', `listener-rule/app/${webBalancerPrefix('other')}2/1/1/1`),
      'implicitDeny',
    ],
    ['cloudformation:DeleteStack', arn('cloudformation', 'stack/rack-shop-web-2/1'), 'allowed'],
    [elb('AddTags'), arn('elasticloadbalancing', 'listener/net/rack-2/1/1'), 'allowed'],
    ['ecs:DeleteService', arn('ecs', 'service/shop/x'), 'allowed'],
  ]
  for (const [action, resource, as] of may)
    assert.equal(decision('DaemonRole', action, resource), as, `${action} on ${resource}`)
  const passing = policyOf('DaemonRole').Statement.filter(({ Action }) => Action.includes('iam:PassRole'))
  assert.deepEqual(
    passing.map(({ Condition }) => Condition),
    ['ecs-tasks.amazonaws.com', 'cloudformation.amazonaws.com'].map((name) => ({
      StringEquals: { 'iam:PassedToService': name },
    })),
  )
  assert.equal(
    decision('DaemonExecutionRole', 'secretsmanager:GetSecretValue', values.parameters.StoreKey),
    'allowed',
  )
})

test('of zones that are not its own it changes proofs, and where names below the domain of the rack lead', () => {
  const key = 'route53:ChangeResourceRecordSets'
  const namesOf = (made: typeof roles) =>
    policyOf('DaemonRole', made).Statement.flatMap(({ Action, Condition }) =>
      Action.includes(key) && Condition ? [Condition] : [],
    )
  const condition = (...names: string[]) => [
    {
      'ForAllValues:StringEquals': { [`${key}RecordTypes`]: ['CNAME'] },
      'ForAllValues:StringLike': { [`${key}NormalizedRecordNames`]: names },
    },
  ]
  assert.equal(
    decision('DaemonRole', 'route53:ListResourceRecordSets', 'arn:aws:route53:::hostedzone/Z2'),
    'allowed',
  )
  assert.deepEqual(namesOf(roles), condition('_*', '*.apps.test'))
  const without = daemonRoles({ rack: scope.rack, inside: {}, permissionsBoundary: undefined })
  assert.deepEqual(namesOf(without), condition('_*'))
})

const daemonsStacks = '{app,service,ports,open-ports,web,database,mysql,redis,valkey,memcached}-stack.json'

test('CloudFormation may do every call that it makes for stacks of apps and services', async () => {
  const policy = anywhere(policyOf('StackRole'))
  const calls = await stackCalls(daemonsStacks)
  assert.ok(calls.length > 60, `${calls.length}`)
  const refused = calls.filter((call) => evaluate(policy, call, '*').EvalDecision !== 'allowed')
  assert.deepEqual(refused, [])
})

/** Some of them, on what they are judged on. */
const ofStacks: [resource: string, calls: string][] = [
  [
    arn('logs', 'log-group:/rack/shop/web'),
    'logs:CreateLogGroup PutRetentionPolicy TagResource DeleteLogGroup',
  ],
  [arn('ecr', 'repository/rack/shop/web'), 'ecr:CreateRepository TagResource DeleteRepository'],
  [
    '*',
    'ec2:CreateSecurityGroup AuthorizeSecurityGroupIngress CreateTags DescribeSecurityGroups DeleteSecurityGroup',
  ],
  [
    iam('role/rack/shop/app/shop-web-task'),
    'iam:CreateRole PutRolePolicy GetRole GetRolePolicy TagRole DeleteRolePolicy DeleteRole',
  ],
  [
    arn('rds', 'db:rack-shop-service-main-database-1'),
    'rds:CreateDBInstance AddTagsToResource ModifyDBInstance DeleteDBInstance CreateDBSnapshot',
  ],
  [arn('rds', 'subgrp:rack-shop-service-main-subnets-1'), 'rds:CreateDBSubnetGroup DeleteDBSubnetGroup'],
  [arn('rds', 'pg:rack-shop-service-main-settings-1'), 'rds:CreateDBParameterGroup ModifyDBParameterGroup'],
  [
    arn('elasticache', 'replicationgroup:rack-1'),
    'elasticache:CreateReplicationGroup AddTagsToResource ModifyReplicationGroup DeleteReplicationGroup CreateSnapshot',
  ],
  [arn('elasticache', 'user:rack-1'), 'elasticache:CreateUser ModifyUser DeleteUser'],
  [arn('elasticache', 'subnetgroup:rack-shop-service-main-subnets-1'), 'elasticache:CreateCacheSubnetGroup'],
  [
    arn('elasticloadbalancing', 'loadbalancer/net/rack-shop-N-1/1'),
    'elasticloadbalancing:CreateLoadBalancer ModifyLoadBalancerAttributes AddTags DeleteLoadBalancer',
  ],
  [
    arn('elasticloadbalancing', `loadbalancer/${further}/1`),
    'elasticloadbalancing:CreateLoadBalancer CreateListener AddTags DeleteLoadBalancer',
  ],
  [
    arn('elasticloadbalancing', `listener/${further}/1/1`),
    'elasticloadbalancing:ModifyListener DeleteListener AddTags',
  ],
  [arn('kms', 'key/1'), 'kms:CreateGrant DescribeKey'],
]

test('CloudFormation may make stacks of apps and services, and no role without the boundary', () => {
  for (const [resource, calls] of ofStacks) {
    const [service = '', ...names] = calls.split(/[: ]/)
    for (const name of names)
      assert.equal(decision('StackRole', `${service}:${name}`, resource), 'allowed', `${name} on ${resource}`)
  }
  const closed: [string, string][] = [
    ['iam:CreateRole', iam('role/rack/shop/rack-shop-other')],
    ['iam:PutRolePolicy', iam('role/rack/shop/rack-shop-daemon')],
    ['iam:DeleteRolePermissionsBoundary', iam('role/rack/shop/app/shop-web-task')],
    ['iam:PassRole', iam('role/rack/shop/app/shop-web-task')],
    ['rds:DeleteDBInstance', arn('rds', 'db:rack-shop-base-store-1')],
    ['logs:DeleteLogGroup', arn('logs', 'log-group:/rack/other/web')],
  ]
  for (const [action, resource] of closed)
    assert.equal(decision('StackRole', action, resource), 'implicitDeny', `${action} on ${resource}`)
  const writing = policyOf('StackRole').Statement.filter(({ Action }) => Action.includes('iam:CreateRole'))
  assert.deepEqual(
    writing.map(({ Condition }) => Condition),
    [{ StringEquals: { 'iam:PermissionsBoundary': boundary } }],
  )
})

// D: "IAM and AWS STS quotas": 10,240 characters of a role's own policies, blanks not counted.
test('each role holds what it is given, also of a rack with the longest name', () => {
  const rack = 'a-name-of-some-length-and-more'
  const inside = { domain: `${'a'.repeat(63)}.${'b'.repeat(63)}.example.com` }
  const long = daemonRoles({ rack, inside, permissionsBoundary: boundary })
  for (const [name, { Properties }] of Object.entries(long)) {
    const length = JSON.stringify(resolved(Properties['Policies'], values)).length
    assert.ok(length < 10_240, `${name}: ${length}`)
  }
  const database = nameWithin(63, {
    stack: `rack-${rack}-service-main`,
    resource: 'Database',
    token: 'a1b2c3d4e5f6',
  })
  for (const role of ['DaemonRole', 'StackRole']) {
    const { EvalDecision } = evaluate(
      policyOf(role, long),
      'rds:ModifyDBInstance',
      arn('rds', `db:${database.toLowerCase()}`),
    )
    assert.equal(EvalDecision, 'allowed', role)
  }
})

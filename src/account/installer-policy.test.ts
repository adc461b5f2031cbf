import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate, type GivenPolicy } from '../../test/fake-aws/small/permissions.ts'
import { engineActions } from '../../test/support/engine-actions.ts'
import { anywhere, stackCalls } from '../../test/support/stack-calls.ts'
import { askedActions, questionsOf } from './asked-actions.ts'
import { installerPermissions, installerPolicy } from './installer-policy.ts'
import { judgedOn } from './judged-on.ts'

/** As long as a name may be. */
const scope = { rack: 'a-name-as-long-as-a-rack-takes', region: 'ap-southeast-2', account: '123456789012' }

test('the policy is one that IAM takes', () => {
  // D: "IAM and STS quotas": 6,144 characters of a managed policy, blanks not counted.
  assert.ok(JSON.stringify(installerPolicy(scope)).length <= 6144)
  for (const { on } of installerPermissions(scope)) {
    for (const arn of on)
      assert.match(
        arn,
        /^(\*|arn:aws:[a-z0-9-]+:[a-z0-9-]*:\d*:.*a-name-as-long-as-a-rack-takes.*|arn:aws:iam::\d+:role\/aws-service-role\/\*|arn:aws:rds:.*:[op]g:default\*|arn:aws:elasticache:.*:(\*:rack-|parametergroup:default)\*|arn:aws:elasticloadbalancing:.*\/(rack-|r-)\*)$/,
      )
  }
})

/** As `ecs:RunTask on *`: of what is asked, what the policy does not allow. */
function refused(asked: [action: string, resources: string[]][]): string[] {
  const policy = installerPolicy(scope) as GivenPolicy
  return asked.flatMap(([action, resources]) =>
    resources
      .filter((resource) => evaluate(policy, action, resource).EvalDecision !== 'allowed')
      .map((resource) => `${action} on ${resource}`),
  )
}

test('it allows every call that the engine makes, as the fake account lists them, on what AWS judges it on', async () => {
  const actions = await engineActions()
  assert.ok(actions.length > 50)
  assert.deepEqual(refused(actions.map((action) => [action, judgedOn(action, scope)])), [])
})

test('it allows every call that CloudFormation makes for our templates as whoever installs', async () => {
  const policy = anywhere(installerPolicy(scope) as GivenPolicy)
  const calls = await stackCalls('*-stack.json')
  assert.ok(calls.length > 200, `${calls.length}`)
  const known = calls.map((call): [string, string[]] => [call, judgedOn(call, scope)])
  assert.deepEqual(refused(known.filter(([, on]) => !on.includes('*'))), [])
  const unknown = known.filter(([, on]) => on.includes('*')).map(([call]) => call)
  assert.deepEqual(
    unknown.filter((call) => evaluate(policy, call, '*').EvalDecision !== 'allowed'),
    [],
  )
})

test('it allows all that is asked about', () => {
  const questions = questionsOf(installerPermissions(scope), scope)
  const pairs = questions.flatMap(({ actions, resource }) =>
    actions.map((action): [string, string[]] => [action, [resource]]),
  )
  assert.ok(pairs.length > 100)
  assert.deepEqual(refused(pairs), [])
})

// D: the service authorization reference, and of DescribeStacks without a name the SDK's own words.
const elsewhere: Record<string, string[]> = {
  'cloudformation:DescribeStacks': ['*'],
  'cloudformation:ListStacks': ['*'],
  'ecs:ListTasks': ['container-instance/a-name-as-long-as-a-rack-takes/1', '*'],
  'ecs:RunTask': ['task-definition/web_web_GABCDEFGHIJ:1'],
  // D: the reference has the cluster, ECS's own examples none.
  'ecs:CreateCluster': ['cluster/a-name-as-long-as-a-rack-takes', '*'],
  'ecs:ListServices': ['*'],
  'ecs:ListTaskDefinitionFamilies': ['*'],
  'ecs:DeregisterTaskDefinition': ['*'],
  'ecs:ExecuteCommand': ['cluster/a-name-as-long-as-a-rack-takes', 'task/a-name-as-long-as-a-rack-takes/1'],
  'ecr:GetAuthorizationToken': ['*'],
  'route53:ListHostedZones': ['*'],
  'route53:GetChange': ['*'],
  'acm:RequestCertificate': ['*'],
  'acm:ListCertificates': ['*'],
  'elasticloadbalancing:DescribeTargetHealth': ['*'],
  'elasticloadbalancing:DescribeTags': ['*'],
  'logs:DescribeLogGroups': ['*'],
  'secretsmanager:ListSecrets': ['*'],
  'servicediscovery:ListServices': ['*'],
  'cloudwatch:GetMetricData': ['*'],
  'rds:CreateDBInstance': [
    'og:default:postgres-17',
    'pg:default.postgres15',
    'db:rack-a-name-as-long-as-a-rack-takes-service-main-x',
  ],
  'rds:DescribeDBSnapshots': ['*'],
}

test('it allows what AWS judges on other resources than those that carry the name of the rack', () => {
  const asked = Object.entries(elsewhere).map(([action, ends]): [string, string[]] => {
    const [service] = action.split(':')
    const arn = (end: string) => `arn:aws:${service}:${scope.region}:${scope.account}:${end}`
    return [action, ends.map((end) => (end === '*' ? end : arn(end)))]
  })
  assert.deepEqual(refused(asked), [])
})

test('names of racks are kept apart: nothing of another one is allowed by name', () => {
  const other = { ...scope, rack: 'other' }
  const named = ['cloudformation:DeleteStack', 'ecs:DeleteService', 's3:DeleteObject', 'iam:DeleteRole']
  const asked = named.map((action): [string, string[]] => [action, judgedOn(action, other)])
  assert.equal(refused(asked).length, named.length)
})

const pattern = (action: string) => new RegExp(`^${action.replaceAll('*', '.*')}$`)

test('of each action that is a pattern some are asked about, which it holds', () => {
  for (const action of installerPermissions(scope).flatMap(({ actions }) => actions)) {
    const asked = askedActions(action)
    assert.ok(asked.length > 0)
    for (const name of asked) {
      assert.match(name, /^[a-z0-9-]+:[A-Za-z0-9]+$/)
      assert.match(name, pattern(action))
    }
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../../test/support/golden.ts'
import { installationStacks } from '../installation-stacks.ts'
import { buildProjectName } from './inside.ts'

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
/** D: "CloudFormation quotas". */
const largestBody = 51_200

const repository = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/rack/r1'

const certificate = 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef'

test('the stacks of a rack in a network of its own', () => {
  const [base, rack] = installationStacks({
    rack: 'r1',
    network: { kind: 'own', nat: true },
    daemonFrom: [],
    networkBalancer: true,
    images: {
      tool: `${repository}@sha256:${'1'.repeat(64)}`,
      builder: `${repository}@sha256:${'2'.repeat(64)}`,
    },
    certificate,
  })
  assert.deepEqual([base!.name, rack!.name], ['rack-r1-base', 'rack-r1'])
  assertGolden('aws/base-stack.json', json(base!.template))
  assertGolden('aws/rack-stack.json', json(rack!.template))
  for (const { template } of [base!, rack!]) assert.ok(JSON.stringify(template).length < largestBody)
})

test("the stacks of a rack in the user's network, before its images are there", () => {
  const [base, rack] = installationStacks({
    rack: 'r1',
    network: {
      kind: 'given',
      vpc: 'vpc-0123456789abcdef0',
      subnets: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      balancerSubnets: ['subnet-0123456789abcdef2', 'subnet-0123456789abcdef3'],
      assignsPublicIp: false,
    },
    daemonFrom: ['10.8.0.0/16'],
    networkBalancer: false,
    images: null,
    permissionsBoundary: 'arn:aws:iam::123456789012:policy/company',
  })
  assertGolden('aws/base-given-stack.json', json(base!.template))
  assertGolden('aws/rack-bare-stack.json', json(rack!.template))
})

test('the stacks of a rack whose daemon is inside', () => {
  const inside = { allow: ['192.0.2.0/24', '198.51.100.7/32'] }
  const [base, rack] = installationStacks({
    rack: 'r1',
    network: { kind: 'own', nat: false },
    daemonFrom: [],
    networkBalancer: true,
    images: {
      tool: `${repository}@sha256:${'1'.repeat(64)}`,
      builder: `${repository}@sha256:${'2'.repeat(64)}`,
      daemon: `${repository}@sha256:${'2'.repeat(64)}`,
    },
    certificate,
    permissionsBoundary: 'arn:aws:iam::123456789012:policy/company',
    inside,
  })
  assertGolden('aws/base-inside-stack.json', json(base!.template))
  assertGolden('aws/rack-inside-stack.json', json(rack!.template))
  for (const { template } of [base!, rack!]) assert.ok(JSON.stringify(template).length < largestBody)
  const { Resources } = rack!.template
  assert.equal(Resources['BuildProject']!.Properties['Name'], buildProjectName('r1'))
})

test('without a domain the API alone is on 443, under its own certificate; without an image there is no daemon', () => {
  const [, rack] = installationStacks({
    rack: 'a-name-of-some-length',
    network: { kind: 'own', nat: true },
    daemonFrom: [],
    networkBalancer: false,
    images: null,
    inside: { allow: [] },
  })
  const { Resources, Outputs } = rack!.template
  assert.deepEqual(Resources['HttpsListener']!.Properties['Certificates'], [
    { CertificateArn: { Ref: 'ApiCertificate' } },
  ])
  for (const absent of ['ApiListenerCertificate', 'DaemonService', 'DaemonTask'])
    assert.equal(absent in Resources, false, absent)
  assert.deepEqual(
    ['HttpsListener', 'DaemonService', 'ApiCertificate'].map((name) => name in Outputs),
    [false, false, true],
  )
  assert.equal((Resources['ApiRule']!.Properties['Conditions'] as object[]).length, 1)
})

test('what the owner bounds every role by bounds each of them, and the boundary of the rack is not made beside it', () => {
  const permissionsBoundary = 'arn:aws:iam::123456789012:policy/company'
  const [, rack] = installationStacks({
    rack: 'r1',
    network: { kind: 'own', nat: true },
    daemonFrom: [],
    networkBalancer: false,
    images: { tool: 'tool@sha256:1', builder: 'builder@sha256:1', daemon: 'daemon@sha256:1' },
    permissionsBoundary,
    inside: { allow: [] },
  })
  const all = Object.values(rack!.template.Resources)
  const roles = all.filter(({ Type }) => Type === 'AWS::IAM::Role')
  assert.equal(roles.length, 4)
  for (const { Properties } of roles) assert.equal(Properties['PermissionsBoundary'], permissionsBoundary)
  assert.equal(
    all.some(({ Type }) => Type === 'AWS::IAM::ManagedPolicy'),
    false,
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../../test/support/golden.ts'
import { installationStacks } from '../installation-stacks.ts'

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
/** D: "CloudFormation quotas". */
const largestBody = 51_200

const repository = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/rack/r1'

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
    certificate: 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
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

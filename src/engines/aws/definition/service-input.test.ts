import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { assertGolden } from '../../../../test/support/golden.ts'
import { processPlan } from '../../../../test/support/plans.ts'
import { serviceInput } from './service-input.ts'

const input = {
  places: {
    cluster: 'r1',
    subnets: ['subnet-1', 'subnet-2'],
    securityGroups: { processes: 'sg-apps', balancers: 'sg-b', daemon: 'sg-d', web: 'sg-w', ports: 'sg-p' },
    assignsPublicIp: true,
  },
  app: { securityGroup: 'sg-1', executionRole: 'e', taskRole: 't' },
  generation: { owner: appOwner('shop'), type: 'web', id: 'GABCDEFGHIJ' },
  plan: processPlan(),
  taskDefinition: 'arn:definition',
  groups: [{ arn: 'arn:group', port: 8080 }],
  registry: 'arn:registry',
  count: 2,
  tags: [{ key: 'rack:name', value: 'r1' }],
}

test('the service of a generation', () => {
  assertGolden('aws/service.json', `${JSON.stringify(serviceInput(input), null, 2)}\n`)
})

test('of a type with a volume of its own ECS never runs two at once', () => {
  const made = serviceInput({ ...input, plan: processPlan({ stopFirst: true }), groups: [], registry: null })
  const { minimumHealthyPercent, maximumPercent } = made.deploymentConfiguration!
  assert.deepEqual([minimumHealthyPercent, maximumPercent], [0, 100])
  assert.equal(made.availabilityZoneRebalancing, 'DISABLED')
  assert.equal(made.healthCheckGracePeriodSeconds, undefined)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placesOf } from './places.ts'

const base = {
  Account: '123456789012',
  Region: 'eu-west-1',
  Vpc: 'vpc-1',
  Subnets: 'subnet-1,subnet-2',
  BalancerSubnets: 'subnet-3,subnet-4',
  AssignsPublicIp: 'false',
  ProcessesGroup: 'sg-1',
  BalancersGroup: 'sg-2',
  DaemonGroup: 'sg-3',
  PortsGroup: 'sg-4',
  WebGroup: 'sg-5',
  Key: 'arn:aws:kms:eu-west-1:123456789012:key/1',
  Bucket: 'bucket',
  FileSystem: 'fs-1',
  Zone: 'Z1',
  Namespace: 'ns-1',
}
const rack = {
  Cluster: 'r1',
  Balancer: 'arn:balancer',
  BalancerHost: 'web.example',
  HttpListener: 'arn:http',
  RoleBoundary: 'arn:boundary',
  ToolImage: 'registry/rack/r1@sha256:1',
}

test('what a rack does not have is null, what it must have is missed by name', () => {
  const places = placesOf({ base, rack })
  assert.deepEqual(
    [places.networkBalancer, places.buildProject, places.balancer.listeners.https, places.assignsPublicIp],
    [null, null, null, false],
  )
  assert.deepEqual(places.subnets, ['subnet-1', 'subnet-2'])
  assert.deepEqual([places.balancerSubnets, places.securityGroups.ports], [['subnet-3', 'subnet-4'], 'sg-4'])
  const more = { HttpsListener: 'arn:https', NetworkBalancer: 'arn:net', NetworkBalancerHost: 'tcp.example' }
  const whole = placesOf({ base, rack: { ...rack, ...more, BuildProject: 'builds' } })
  assert.deepEqual(
    [whole.networkBalancer, whole.buildProject, whole.balancer.listeners.https],
    [{ arn: 'arn:net', host: 'tcp.example' }, 'builds', 'arn:https'],
  )
  const { ToolImage: _tool, ...untold } = rack
  assert.throws(() => placesOf({ base, rack: untold }), {
    code: 'engine-failed',
    message: /what ToolImage is/,
    hint: 'Bring them up to date: rack update',
  })
  assert.equal(whole.stackRole, undefined)
  assert.equal(placesOf({ base, rack: { ...rack, StackRole: 'arn:stacks' } }).stackRole, 'arn:stacks')
})

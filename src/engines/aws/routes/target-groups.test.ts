import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { processPlan, servesHttp } from '../../../../test/support/plans.ts'
import { waysOf } from '../../../domain/ways.ts'
import { checkChanges, isTargetGroup, targetGroup, targetGroupAttributes } from './target-groups.ts'

const generation = { owner: appOwner('shop'), type: 'web', id: 'GABCDEFGHIJ' }
const of = (plan: ReturnType<typeof processPlan>) =>
  targetGroup({ rack: 'r1', vpc: 'vpc-1', generation, plan, way: waysOf(plan)[0]! })

test('a web port is checked by its path: any answer that is no failure of the server will do', () => {
  const web = processPlan(servesHttp(8080, ['a.b']))
  const { Protocol, Port, TargetType, Matcher, HealthCheckPath } = of(web)
  assert.deepEqual([Protocol, Port, TargetType, HealthCheckPath], ['HTTP', 8080, 'ip', '/'])
  assert.equal(Matcher?.HttpCode, '200-499')
  const named = of({ ...web, health: { ...web.health, path: '/up' } })
  assert.deepEqual([named.HealthCheckPath, named.Matcher?.HttpCode], ['/up', '200-499'])
  const elsewhere = of({ ...web, health: { ...web.health, path: '/up', port: 9090 } })
  assert.deepEqual([elsewhere.HealthCheckPath, elsewhere.HealthCheckPort], ['/', 'traffic-port'])
})

test('checks are as near as the balancer comes: 5 s and more, a timeout below it, 2 in a row', () => {
  const web = processPlan(servesHttp(8080, ['a.b']))
  const health = { ...web.health, intervalMs: 200, timeoutMs: 20_000, unhealthyThreshold: 99 }
  const made = of({ ...web, health })
  assert.deepEqual([made.HealthCheckIntervalSeconds, made.HealthCheckTimeoutSeconds], [21, 20])
  assert.deepEqual([made.HealthyThresholdCount, made.UnhealthyThresholdCount], [2, 10])
})

test('a port of its own is checked by a connect, and cut when its drain is over', () => {
  const port = {
    external: 5000,
    container: 9000,
    protocol: 'tcp' as const,
    proxy: 'v2' as const,
    secure: false,
  }
  const plan = processPlan({ ports: [port], drainTimeoutMs: 5_000_000 })
  const made = of(plan)
  assert.deepEqual([made.Protocol, made.Matcher, made.HealthCheckPath], ['TCP', undefined, undefined])
  const attributes = new Map(
    targetGroupAttributes(plan, waysOf(plan)[0]!).map(({ Key, Value }) => [Key, Value]),
  )
  assert.equal(attributes.get('deregistration_delay.timeout_seconds'), '3600')
  assert.equal(attributes.get('proxy_protocol_v2.enabled'), 'true')
  assert.ok(isTargetGroup(`arn:aws:elasticloadbalancing:x:1:targetgroup/${made.Name}/0123`, made.Name!))
})

test('a port of udp is checked by a connect to another one', () => {
  const port = {
    external: 53,
    container: 5353,
    protocol: 'udp' as const,
    proxy: false as const,
    secure: false,
  }
  const { health } = processPlan()
  const made = of(processPlan({ ports: [port], health: { ...health, port: 9000 } }))
  assert.deepEqual(
    [made.Protocol, made.Port, made.HealthCheckProtocol, made.HealthCheckPort],
    ['UDP', 5353, 'TCP', '9000'],
  )
})

test('of a group that is there only what is not so is written', () => {
  const web = processPlan(servesHttp(8080, ['a.b']))
  const made = of(web)
  const { HealthCheckPath, HealthCheckIntervalSeconds, Matcher } = made
  const checks = { HealthCheckPath, HealthCheckIntervalSeconds, Matcher }
  assert.equal(checkChanges({ ...made, Matcher: { HttpCode: '200-499' } }, checks), null)
  assert.equal(checkChanges({ ...made, HealthCheckPath: '/up' }, checks), checks)
  assert.equal(checkChanges({ ...made, Matcher: { HttpCode: '200' } }, checks), checks)
})

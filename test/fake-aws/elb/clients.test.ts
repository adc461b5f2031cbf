import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2'
import { clientConfig } from '../client-config.ts'
import { startServer } from '../server.ts'
import { ask, createBalancerWorld } from './one-balancer.ts'

test('the SDK’s own client makes what leads requests, and is told of it', async () => {
  await using world = await createBalancerWorld()
  const server = await startServer({ ...world.account, services: [world.elb.service] })
  const client = new ElasticLoadBalancingV2(clientConfig(server))
  try {
    const { LoadBalancers = [] } = await client.describeLoadBalancers({ Names: ['web'] })
    assert.deepEqual(
      LoadBalancers.map(({ State, Type }) => [State?.Code, Type]),
      [['active', 'application']],
    )
    const { Listeners = [] } = await client.describeListeners({
      LoadBalancerArn: LoadBalancers[0]!.LoadBalancerArn!,
    })
    const ListenerArn = Listeners[0]!.ListenerArn!
    const { TargetGroups = [] } = await client.createTargetGroup({
      Name: 'r-0123456789abcdef0123456789ab',
      Protocol: 'HTTP',
      Port: 3000,
      VpcId: 'vpc-1',
      TargetType: 'ip',
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      Matcher: { HttpCode: '200-399' },
      Tags: [{ Key: 'rack:app', Value: 'a' }],
    })
    const arn = TargetGroups[0]!.TargetGroupArn!
    await client.modifyTargetGroupAttributes({
      TargetGroupArn: arn,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '30' }],
    })
    const { Rules = [] } = await client.createRule({
      ListenerArn,
      Priority: 20_001,
      Conditions: [
        { Field: 'host-header', HostHeaderConfig: { Values: ['a.test', 'b.test'] } },
        { Field: 'source-ip', SourceIpConfig: { Values: ['127.0.0.0/8'] } },
      ],
      Actions: [{ Type: 'forward', TargetGroupArn: arn }],
      Tags: [{ Key: 'rack:app', Value: 'a' }],
    })
    const RuleArn = Rules[0]!.RuleArn!
    const target = await world.startTarget((_, response) => response.end('here'))
    world.elb.targetGroups.register(arn, target)
    await world.healthy(arn, target)
    const { TargetHealthDescriptions = [] } = await client.describeTargetHealth({ TargetGroupArn: arn })
    assert.deepEqual(
      TargetHealthDescriptions.map(({ Target, TargetHealth }) => [Target?.Port, TargetHealth?.State]),
      [[target.port, 'healthy']],
    )
    await client.setRulePriorities({ RulePriorities: [{ RuleArn, Priority: 2 }] })
    await client.modifyRule({
      RuleArn,
      Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: arn, Weight: 3 }] } }],
    })
    const told = await client.describeRules({ ListenerArn })
    assert.deepEqual(
      told.Rules?.map(({ Priority, IsDefault }) => [Priority, IsDefault]),
      [
        ['default', true],
        ['2', false],
      ],
    )
    assert.deepEqual(told.Rules?.[1]?.Actions?.[0]?.ForwardConfig?.TargetGroups, [
      { TargetGroupArn: arn, Weight: 3 },
    ])
    const { TagDescriptions = [] } = await client.describeTags({ ResourceArns: [arn, RuleArn] })
    assert.deepEqual(
      TagDescriptions.map(({ Tags }) => Tags),
      [[{ Key: 'rack:app', Value: 'a' }], [{ Key: 'rack:app', Value: 'a' }]],
    )
    assert.equal((await ask(world.web.loopbackPort(80), { host: 'b.test' })).body, 'here')
    await assert.rejects(client.deleteTargetGroup({ TargetGroupArn: arn }), {
      name: 'ResourceInUseException',
    })
    await assert.rejects(client.describeTargetGroups({ Names: ['nothing'] }), {
      name: 'TargetGroupNotFoundException',
    })
    await client.deleteRule({ RuleArn })
    await client.deleteTargetGroup({ TargetGroupArn: arn })
    await assert.rejects(client.deleteRule({ RuleArn }), { name: 'RuleNotFoundException' })
    assert.deepEqual(world.account.troubles, [])
  } finally {
    client.destroy()
    await server.close()
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloudWatch, type GetMetricDataOutput } from '@aws-sdk/client-cloudwatch'
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2'
import { until } from '../../../src/lib/poll.ts'
import { clientConfig } from '../client-config.ts'
import { startServer } from '../server.ts'
import { metricName, Metrics } from './metrics.ts'
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

test('what balancers count is told a while after each minute', async () => {
  await using world = await createBalancerWorld({ factor: 2000 })
  const { account, elb, web } = world
  const server = await startServer({ ...account, services: [elb.metrics] })
  const client = new CloudWatch(clientConfig(server))
  try {
    const StartTime = new Date(account.clock.now())
    const group = await world.createGroup('r-one')
    await world.createRule(5, 'a.test', group)
    const port = web.loopbackPort(80)
    const status = async () => (await ask(port, { host: 'a.test' })).status
    await until(async () => (await status()) === 503, { deadlineMs: 5000, what: 'the rule' })
    const target = await world.startTarget((_, response) => response.end())
    elb.targetGroups.register(group, target)
    await world.healthy(group, target)
    for (let at = 0; at < 5; at++) assert.equal(await status(), 200)
    const metric = (Id: string, MetricName: string, group?: string) => {
      const Dimensions = [
        { Name: 'LoadBalancer', Value: metricName(web.arn) },
        ...(group ? [{ Name: 'TargetGroup', Value: metricName(group) }] : []),
      ]
      const Metric = { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions }
      return { Id, MetricStat: { Metric, Period: 60, Stat: 'Sum' } }
    }
    const MetricDataQueries = [
      metric('requests', 'RequestCount', group),
      metric('failed', 'HTTPCode_ELB_5XX_Count'),
    ]
    const sums = async () => {
      const EndTime = new Date(account.clock.now())
      const { MetricDataResults = [] } = await client.getMetricData({ MetricDataQueries, StartTime, EndTime })
      return Object.fromEntries(
        MetricDataResults.map(({ Id, Values = [] }) => [Id, Values.reduce((sum, value) => sum + value, 0)]),
      )
    }
    await until(async () => (await sums()).requests === 5, { deadlineMs: 5000, what: 'the counts' })
    assert.ok((await sums()).failed! >= 1)
    assert.deepEqual(account.troubles, [])
  } finally {
    client.destroy()
    await server.close()
  }
})

test('a minute is told one to three minutes after its end', async () => {
  let now = 0
  const metrics = new Metrics({ factor: 1, now: () => now, pass: async () => undefined })
  metrics.count('HTTPCode_ELB_5XX_Count', { balancer: 'loadbalancer/app/web/1' })
  const Dimensions = [{ Name: 'LoadBalancer', Value: 'app/web/1' }]
  const Metric = { Namespace: 'AWS/ApplicationELB', MetricName: 'HTTPCode_ELB_5XX_Count', Dimensions }
  const values = async () => {
    const MetricDataQueries = [{ Id: 'a', MetricStat: { Metric, Period: 60, Stat: 'Sum' } }]
    const input = { MetricDataQueries, StartTime: new Date(30_000), EndTime: new Date(60_000) }
    const call = { service: 'monitoring', action: 'GetMetricData', accessKeyId: 'A', requestId: '1' }
    const told = (await metrics.actions()['GetMetricData']!(input, call)) as GetMetricDataOutput
    return told.MetricDataResults![0]!.Values
  }
  now = 119_000
  assert.deepEqual(await values(), [])
  now = 240_001
  assert.deepEqual(await values(), [1])
})

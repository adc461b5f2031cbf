import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBalancerWorld, forwardTo } from './one-balancer.ts'

test('a target group made again is the same, with other settings it is refused', async () => {
  await using world = await createBalancerWorld()
  const arn = await world.createGroup('r-one')
  assert.equal(await world.createGroup('r-one'), arn)
  await assert.rejects(world.createGroup('r-one', { Port: 81 }), {
    name: 'DuplicateTargetGroupNameException',
  })
  await assert.rejects(
    world.createGroup('r-two', { HealthCheckTimeoutSeconds: 5 }),
    /smaller than the interval/,
  )
  await assert.rejects(world.createGroup('r-two', { TargetType: 'instance' }), { name: 'ValidationError' })
})

test('a target group is refused to leave while a rule leads to it, and to ECS while none does', async () => {
  await using world = await createBalancerWorld()
  const group = await world.createGroup('r-one')
  assert.throws(
    () => world.elb.targetGroups.assertUsable(group, 'tcp'),
    /does not have an associated load balancer/,
  )
  const rule = await world.createRule(5, 'a.test', group)
  world.elb.targetGroups.assertUsable(group, 'tcp')
  await assert.rejects(world.act('DeleteTargetGroup', { TargetGroupArn: group }), {
    name: 'ResourceInUseException',
  })
  await world.act('DeleteRule', { RuleArn: rule })
  await world.act('DeleteTargetGroup', { TargetGroupArn: group })
  await assert.rejects(world.act('DescribeTargetGroups', { TargetGroupArns: [group] }), {
    name: 'TargetGroupNotFoundException',
  })
})

test('a rule with a priority that is taken, or with more than five values, is refused', async () => {
  await using world = await createBalancerWorld()
  const group = await world.createGroup('r-one')
  await world.createRule(5, 'a.test', group)
  await assert.rejects(world.createRule(5, 'b.test', group), { name: 'PriorityInUseException' })
  const ListenerArn = world.web.listeners.get(80)!.arn
  const rule = (...values: { hosts: string[]; ranges: string[] }[]) => ({
    ListenerArn,
    Priority: 9,
    Actions: [forwardTo(group)],
    Conditions: values.flatMap(({ hosts, ranges }) => [
      { Field: 'host-header', HostHeaderConfig: { Values: hosts } },
      { Field: 'source-ip', SourceIpConfig: { Values: ranges } },
    ]),
  })
  const hosts = ['a.test', 'b.test', 'c.test']
  await assert.rejects(
    world.act('CreateRule', rule({ hosts, ranges: ['10.0.0.0/8', '::1/128', '1.1.1.1/32'] })),
    /5 condition/,
  )
  await assert.rejects(
    world.act('CreateRule', rule({ hosts: ['a.test'], ranges: ['10.0.0.0'] })),
    /not valid/,
  )
  await world.act('CreateRule', rule({ hosts, ranges: ['10.0.0.0/8', '::1/128'] }))
})

test('rules of a listener are told page by page, with the default one', async () => {
  await using world = await createBalancerWorld()
  const group = await world.createGroup('r-one')
  for (let priority = 1; priority <= 12; priority++)
    await world.createRule(priority, `h${priority}.test`, group)
  const ListenerArn = world.web.listeners.get(80)!.arn
  const first = await world.act('DescribeRules', { ListenerArn })
  assert.equal(first.Rules.length, 10)
  const second = await world.act('DescribeRules', { ListenerArn, Marker: first.NextMarker })
  const all = [...first.Rules, ...second.Rules].map(({ Priority }: { Priority: string }) => Priority)
  assert.deepEqual(all, ['default', ...Array.from({ length: 12 }, (_, at) => String(at + 1))])
  assert.equal(second.NextMarker, undefined)
})

test('priorities are set together or not at all, and places may be swapped', async () => {
  await using world = await createBalancerWorld()
  const group = await world.createGroup('r-one')
  const ListenerArn = world.web.listeners.get(80)!.arn
  const rules: string[] = []
  for (let priority = 1; priority <= 5; priority++)
    rules.push(await world.createRule(priority, 'a.test', group))
  const model = new Map(rules.map((rule, at) => [rule, at + 1]))
  const pair = fc.record({ rule: fc.constantFrom(...rules), priority: fc.integer({ min: 1, max: 7 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(pair, { minLength: 1, maxLength: 5 }), async (pairs) => {
      const RulePriorities = pairs.map(({ rule, priority }) => ({ RuleArn: rule, Priority: priority }))
      const wanted = new Map([...model, ...pairs.map(({ rule, priority }) => [rule, priority] as const)])
      const isRepeated = new Set(pairs.map(({ rule }) => rule)).size < pairs.length
      const isTaken = new Set(wanted.values()).size < wanted.size
      const done = world.act('SetRulePriorities', { RulePriorities })
      if (isRepeated) await assert.rejects(done, { name: 'ValidationError' })
      else if (isTaken) await assert.rejects(done, { name: 'PriorityInUseException' })
      else {
        await done
        for (const [rule, priority] of wanted) model.set(rule, priority)
      }
      const { Rules } = await world.act('DescribeRules', { ListenerArn })
      const told = new Map(
        Rules.map(({ RuleArn, Priority }: Record<string, string>) => [RuleArn, Number(Priority)]),
      )
      for (const [rule, priority] of model) assert.equal(told.get(rule), priority)
    }),
    { numRuns: 100 },
  )
})

test('a balancer leads to a hundred target groups, and an action to five', async () => {
  await using world = await createBalancerWorld()
  const groups: string[] = []
  for (let at = 0; at <= 100; at++) groups.push(await world.createGroup(`r-${at}`))
  const weighted = (from: number, count: number) =>
    groups.slice(from, from + count).map((arn) => ({ arn, weight: 1 }))
  await assert.rejects(world.createRule(1, 'a.test', weighted(0, 6)), {
    name: 'TooManyTargetGroupsException',
  })
  for (let at = 0; at < 20; at++) await world.createRule(at + 1, 'a.test', weighted(at * 5, 5))
  await assert.rejects(world.createRule(50, 'a.test', groups[100]!), {
    name: 'TooManyUniqueTargetGroupsPerLoadBalancerException',
  })
  await world.createRule(50, 'a.test', groups[0]!)
})

test('a group is one balancer’s, and of its kind', async () => {
  await using world = await createBalancerWorld()
  const group = await world.createGroup('r-one')
  const LoadBalancerArn = world.net.arn
  const listener = { LoadBalancerArn, Protocol: 'TCP', Port: 5432 }
  await assert.rejects(world.act('CreateListener', { ...listener, DefaultActions: [forwardTo(group)] }), {
    name: 'IncompatibleProtocolsException',
  })
  const tcp = await world.createGroup('r-tcp', { Protocol: 'TCP' })
  await world.act('CreateListener', { ...listener, DefaultActions: [forwardTo(tcp)] })
  await assert.rejects(world.act('CreateListener', { ...listener, DefaultActions: [forwardTo(tcp)] }), {
    name: 'DuplicateListenerException',
  })
})

test('a listener of udp leads to a group of udp, which is checked by tcp and knows clients by their address', async () => {
  await using world = await createBalancerWorld()
  const tcp = await world.createGroup('r-tcp', { Protocol: 'TCP' })
  const udp = await world.createGroup('r-udp', { Protocol: 'UDP' })
  const listen = async (Protocol: string, Port: number, group: string) =>
    await world.act('CreateListener', {
      LoadBalancerArn: world.net.arn,
      Protocol,
      Port,
      DefaultActions: [forwardTo(group)],
    })
  await assert.rejects(listen('UDP', 53, tcp), { name: 'IncompatibleProtocolsException' })
  await assert.rejects(listen('TCP', 53, udp), { name: 'IncompatibleProtocolsException' })
  const { Listeners } = await listen('UDP', 53, udp)
  const change = { ListenerArn: Listeners[0].ListenerArn, DefaultActions: [forwardTo(tcp)] }
  await assert.rejects(world.act('ModifyListener', change), { name: 'IncompatibleProtocolsException' })
  await assert.rejects(listen('TCP', 53, tcp), { name: 'DuplicateListenerException' })
  const { TargetGroups } = await world.act('DescribeTargetGroups', { TargetGroupArns: [udp] })
  assert.equal(TargetGroups[0].HealthCheckProtocol, 'TCP')
  const checked = world.createGroup('r-bad', { Protocol: 'UDP', HealthCheckProtocol: 'UDP' })
  await assert.rejects(checked, { name: 'ValidationError' })
  const { Attributes } = await world.act('DescribeTargetGroupAttributes', { TargetGroupArn: udp })
  const values = new Map(Attributes.map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value]))
  assert.equal(values.get('preserve_client_ip.enabled'), 'true')
  assert.equal(values.get('deregistration_delay.connection_termination.enabled'), 'true')
  const set = async (group: string, Key: string, Value: string) =>
    await world.act('ModifyTargetGroupAttributes', { TargetGroupArn: group, Attributes: [{ Key, Value }] })
  const refused = { name: 'InvalidConfigurationRequestException' }
  await assert.rejects(set(udp, 'preserve_client_ip.enabled', 'false'), refused)
  await set(udp, 'stickiness.enabled', 'true')
  const tls = await world.createGroup('r-tls', { Protocol: 'TLS' })
  await assert.rejects(set(tls, 'stickiness.enabled', 'true'), refused)
  assert.throws(() => world.elb.targetGroups.assertUsable(udp, 'tcp'), /protocol tcp .* does not fit/)
  world.elb.targetGroups.assertUsable(udp, 'udp')
})

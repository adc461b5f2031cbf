import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AwsParts } from '../parts.ts'
import { createBalancerWorld } from '../../../../test/fake-aws/elb/one-balancer.ts'
import { lookAtGroups } from './lost-parts.ts'

test('of more target groups than one call takes those are known that are gone, and those that nothing leads to', async () => {
  await using world = await createBalancerWorld()
  const groups: string[] = []
  for (let index = 0; index < 25; index++) groups.push(await world.createGroup(`r-${index}`))
  const [led, gone, ...others] = groups as [string, string, ...string[]]
  await world.createRule(5, 'a.test', led)
  await world.act('DeleteTargetGroup', { TargetGroupArn: gone })
  const describeTargetGroups = async (input: object) => await world.act('DescribeTargetGroups', input)
  const clients = { balancers: { describeTargetGroups } } as unknown as AwsParts['clients']
  await assert.rejects(describeTargetGroups({ TargetGroupArns: others }), /more than '20' target groups/)
  const { signal } = new AbortController()
  assert.deepEqual(await lookAtGroups({ clients }, groups, { signal }), {
    lost: new Set([gone]),
    unled: new Set(others),
  })
  assert.deepEqual(await lookAtGroups({ clients }, [], { signal }), { lost: new Set(), unled: new Set() })
})

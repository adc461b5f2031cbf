import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import type { FoundRule } from '../routes/rules.ts'
import { balancerFor, groupShortage, groupsNeeded, groupsUsed, roomOf } from './web-room.ts'

const rules = (count: number, first = 'other.test'): FoundRule[] =>
  Array.from({ length: count }, (_each, index) => ({
    arn: `rule${index}`,
    priority: index + 2,
    groups: [{ arn: `group${index}`, weight: 1 }],
    conditions: [
      { Field: 'host-header', HostHeaderConfig: { Values: [index === 0 ? first : `${index}.test`] } },
    ],
  }))

const web = processPlan(servesHttp(8080, ['a.test']))
const admin = processPlan({ ...servesHttp(8080, ['b.test']), type: 'admin' })
const worker = processPlan({ type: 'worker' })

test('a plan needs a target group for each type of the web that is new or replaced', () => {
  const plan = planOf([web, admin, worker])
  const nobody = new Set<string>()
  assert.equal(groupsNeeded(plan, nobody, rules(9)), 2)
  assert.equal(groupsNeeded(plan, nobody, rules(9, 'a.test')), 1, 'what stays needs none')
  assert.equal(groupsNeeded(plan, new Set(['web']), rules(9, 'a.test')), 2)
  assert.equal(groupsNeeded(planOf([{ ...web, count: 0 }]), nobody, rules(9)), 0)
  assert.equal(groupsNeeded(planOf([worker]), new Set(['worker']), rules(9)), 0)
  assert.equal(groupsUsed([...rules(9), ...rules(3)]), 9)
})

test('more target groups than a balancer has are told before anything is made', () => {
  assert.equal(groupShortage(98, 2), null)
  const short = groupShortage(99, 2)
  assert.equal(short?.code, 'capacity')
  assert.match(short.message, /leads to 99 of 100 target groups, and this change needs 2 more/)
  assert.match(groupShortage(100, 1)!.message, /needs one more/)
  assert.equal(groupShortage(100, 0), null)
})

test('the largest app behind a balancer is told by its names', () => {
  const led = (host: string, index: number): FoundRule => ({
    arn: `rule${index}`,
    priority: index + 2,
    groups: [{ arn: `group${index}`, weight: 1 }],
    conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: ['www.example.test', host] } }],
  })
  const hosts = [
    'shop.rack.test',
    'api.shop.rack.test',
    'blog.rack.test',
    'elsewhere.test',
    'admin.shop.rack.test',
  ]
  const found = [...hosts.map(led), { ...led('old.shop.rack.test', 9), priority: 30_000 }]
  assert.deepEqual(roomOf(2, found, 'rack.test'), { number: 2, used: 6, largest: 3 })
  assert.deepEqual(roomOf(1, [], 'rack.test'), { number: 1, used: 0, largest: 0 })
})

test('an app comes where there is room for it beside what is replaced there', () => {
  const room = (number: number, used: number, largest = 1) => ({ number, used, largest })
  const cases: [needed: number, rooms: ReturnType<typeof room>[], number: number][] = [
    [1, [room(1, 0)], 1],
    [1, [room(1, 87)], 1],
    [1, [room(1, 88)], 2],
    [1, [room(1, 80, 20)], 2],
    [1, [room(1, 79, 20)], 1],
    [20, [room(1, 60)], 1],
    [20, [room(1, 61)], 2],
    [2, [room(1, 88), room(2, 40)], 2],
    [2, [room(1, 88), room(2, 88)], 3],
    [2, [room(1, 88), room(3, 88)], 2],
    [2, [room(1, 30), room(2, 0)], 1],
    [50, [room(1, 2)], 2],
  ]
  for (const [needed, rooms, number] of cases)
    assert.equal(balancerFor(needed, rooms), number, JSON.stringify([needed, rooms]))
  assert.throws(() => balancerFor(51, [room(1, 0)]), {
    code: 'capacity',
    message: /51 processes with an http port, and a load balancer leads to 100 target groups/,
  })
})

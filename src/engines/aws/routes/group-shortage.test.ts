import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import { groupShortage } from './group-shortage.ts'
import type { FoundRule } from './rules.ts'

const rules = (count: number, first = 'other.test'): FoundRule[] =>
  Array.from({ length: count }, (_each, index) => ({
    arn: `rule${index}`,
    priority: index + 2,
    groups: [{ arn: `group${index}`, weight: 1 }],
    conditions: [
      { Field: 'host-header', HostHeaderConfig: { Values: [index === 0 ? first : `${index}.test`] } },
    ],
  }))

test('more target groups than a balancer has are told before anything is made', () => {
  const web = processPlan(servesHttp(8080, ['a.test']))
  const admin = processPlan({ ...servesHttp(8080, ['b.test']), type: 'admin' })
  const worker = processPlan({ type: 'worker' })
  const plan = planOf([web, admin, worker])
  const nobody = new Set<string>()
  assert.equal(groupShortage(plan, nobody, rules(98)), null)
  const short = groupShortage(plan, nobody, rules(99))
  assert.equal(short?.code, 'capacity')
  assert.match(short.message, /leads to 99 of 100 target groups, and this change needs 2 more/)
  assert.equal(groupShortage(plan, nobody, rules(99, 'a.test')), null, 'what stays needs none')
  assert.match(groupShortage(plan, new Set(['web']), rules(99, 'a.test'))!.message, /needs 2 more/)
  assert.match(groupShortage(planOf([web]), nobody, rules(100))!.message, /needs one more/)
  assert.equal(groupShortage(planOf([{ ...web, count: 0 }]), nobody, rules(100)), null)
  assert.equal(groupShortage(planOf([worker]), new Set(['worker']), rules(100)), null)
})

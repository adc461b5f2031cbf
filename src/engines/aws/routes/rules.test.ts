import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainRouting } from '../../../domain/routing.ts'
import { conditionsOf } from './conditions.ts'
import { swapOf, type FoundRule } from './rules.ts'

const rule = (arn: string, priority: number): FoundRule => ({ arn, priority, groups: [], conditions: [] })

test('a swap gives the new rules the places of the old ones, in one table', () => {
  const all = [rule('old1', 2), rule('old2', 3), rule('other', 4), rule('new1', 20_005), rule('new2', 30_000)]
  assert.deepEqual(swapOf(all, new Set(['new1', 'new2']), new Set(['old1', 'old2'])), [
    { arn: 'new1', priority: 2 },
    { arn: 'old1', priority: 20_005 },
    { arn: 'new2', priority: 3 },
    { arn: 'old2', priority: 30_000 },
  ])
})

test('a rule without a predecessor gets a free place, one without a successor waits; what is so stays so', () => {
  const all = [rule('other', 2), rule('new', 20_001), rule('gone', 3)]
  assert.deepEqual(swapOf(all, new Set(['new']), new Set()), [{ arn: 'new', priority: 4 }])
  assert.deepEqual(swapOf(all, new Set(), new Set(['gone'])), [{ arn: 'gone', priority: 20_002 }])
  assert.deepEqual(swapOf(all, new Set(['gone']), new Set(['new'])), [])
})

test('host names and ranges share the five values of a rule', () => {
  const about = { type: 'web', routing: plainRouting }
  assert.equal(conditionsOf({ ...about, hosts: [] }).length, 0)
  assert.equal(conditionsOf({ ...about, hosts: ['a.b', 'c.d'] }).length, 1)
  const hosts = Array.from({ length: 6 }, (_each, index) => `h${index}.b`)
  assert.equal(conditionsOf({ ...about, hosts }).length, 2)
  const routing = { ...plainRouting, allow: ['10.0.0.0/8', '192.0.2.1', '2001:db8::1', '::/0'] }
  const rules = conditionsOf({ ...about, routing, hosts: ['a.b', 'c.d'] })
  assert.equal(rules.length, 2)
  assert.deepEqual(rules[0]![1]!.SourceIpConfig!.Values, ['10.0.0.0/8', '192.0.2.1/32', '2001:db8::1/128'])
  assert.throws(() => conditionsOf({ ...about, routing, hosts }), {
    code: 'invalid',
    message: /needs 6 rules of the balancer for 6 names and 4 ranges of rack\.allow, and may have 4/,
  })
})

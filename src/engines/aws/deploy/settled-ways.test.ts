import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { planOf, processPlan } from '../../../../test/support/plans.ts'
import { toGeneration } from '../look/found.ts'
import { generationName } from '../names.ts'
import type { FoundRule } from '../routes/rules.ts'
import { printOf } from './settled-ways.ts'

const generation = (app: string, group: string, status = 'ACTIVE') =>
  toGeneration({
    serviceName: generationName({ owner: appOwner(app), type: 'web', id: 'GAAAAAAAAAA' }),
    status,
    loadBalancers: [{ targetGroupArn: group }],
  })!
const rule = (group: string, priority = 2): FoundRule => ({
  arn: `rule of ${group}`,
  priority,
  groups: [{ arn: group, weight: 1 }],
  conditions: [],
})
const place: FoundRule = { arn: 'place', priority: 3, groups: [], conditions: [], isPlace: true }

const shop = planOf([processPlan()], { owner: appOwner('shop') })
const usual = {
  plan: shop,
  domains: [{ name: 'shop.example.com' }],
  generations: [generation('shop', 'a'), generation('blog', 'b')],
  rules: [rule('a'), rule('b'), place],
  doors: [{ hostsOf: () => ['shop.localhost'] }],
}

test('an app is not as it was when its plan, a domain, its services or its rules are others; what is of others is not its own', () => {
  const was = printOf(usual)
  assert.equal(printOf({ ...usual, rules: structuredClone(usual.rules) }), was)
  const others = {
    plan: { ...usual, plan: { ...shop, release: 'RZZZZZZZZZZ' } },
    domain: { ...usual, domains: [] },
    door: { ...usual, doors: [{ hostsOf: () => [] }] },
    service: { ...usual, generations: [generation('shop', 'a', 'DRAINING')] },
    priority: { ...usual, rules: [rule('a', 9), rule('b'), place] },
    gone: { ...usual, rules: [rule('b'), place] },
    place: { ...usual, rules: [rule('a'), rule('b')] },
  }
  for (const [what, other] of Object.entries(others)) assert.notEqual(printOf(other), was, what)
  const ofOthers = {
    ...usual,
    generations: [generation('shop', 'a'), generation('blog', 'c')],
    rules: [rule('a'), rule('c', 7), place],
  }
  assert.equal(printOf(ofOthers), was)
})

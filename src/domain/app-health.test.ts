import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  describeLack,
  desiredTypes,
  lacksOf,
  rememberEnded,
  rememberUnhealthy,
  replacementTimes,
  type DesiredType,
  type SeenCopy,
} from './app-health.ts'
import { planOf, processPlan } from '../../test/support/plans.ts'
import type { ProcessPlan } from './plan.ts'
import type { ProcessStatus } from './process.ts'

const wants = (restart: DesiredType['restart'], count = 1): DesiredType[] => [
  { type: 'web', count, restart, replaceAfterMs: 100 },
]
const copies = (...statuses: ProcessStatus[]): SeenCopy[] =>
  statuses.map((status, index) => ({ id: `P${index}`, type: 'web', kind: 'process', status, detail: null }))
const nothing = new Map<string, string>()

const cases: [string, DesiredType[], ProcessStatus[], string][] = [
  ['all there', wants('always', 2), ['running', 'starting'], ''],
  ['one gone', wants('always', 2), ['running'], 'web: 1 of 2 missing'],
  ['what somebody stopped', wants('always'), ['stopped'], 'web: 1 of 1 missing'],
  ['what leaves is not there', wants('always'), ['draining'], 'web: 1 of 1 missing'],
  ['its check fails', wants('always', 2), ['unhealthy', 'running'], 'web: 1 of 2 unhealthy'],
  ['a crash loop', wants('always'), ['restarting'], 'web: 1 of 1 unhealthy'],
  ['both', wants('always', 3), ['running', 'unhealthy'], 'web: 1 of 3 missing, 1 of 3 unhealthy'],
  ['a good end that always undoes', wants('always'), ['completed'], 'web: 1 of 1 missing'],
  ['a good end', wants('on-failure'), ['completed'], ''],
  ['a good end of one that runs once', wants('no'), ['completed'], ''],
  ['a bad end of one that runs once', wants('no'), ['crashed'], 'web: 1 of 1 crashed'],
  ['a bad end of one that runs on', wants('on-failure'), ['crashed'], 'web: 1 of 1 missing'],
  ['none wanted', wants('always', 0), [], ''],
  ['more than wanted', wants('always'), ['running', 'running'], ''],
]

for (const [title, desired, statuses, expected] of cases) {
  test(`desired and actual: ${title}`, () => {
    assert.equal(
      lacksOf(desired, copies(...statuses), nothing)
        .map(describeLack)
        .join(),
      expected,
    )
  })
}

test('what is said of a copy that crashes again and again is said of its type', () => {
  const [copy] = copies('restarting')
  const crashing = { ...copy!, detail: 'crashed (137, OOM) ×6' }
  const [lack] = lacksOf(wants('always'), [crashing], nothing)
  assert.equal(describeLack(lack!), 'web: 1 of 1 unhealthy: crashed (137, OOM) ×6')
})

test('one-offs count for no type', () => {
  const [copy] = copies('running')
  assert.equal(lacksOf(wants('always'), [{ ...copy!, kind: 'one-off' }], nothing).length, 1)
})

test('what had ended is not missing when somebody tidies it away; what ran is', () => {
  const desired = wants('on-failure', 2)
  const ended = rememberEnded(desired, copies('completed', 'running'), nothing)
  assert.deepEqual([...ended.keys()], ['P0'])
  assert.deepEqual(lacksOf(desired, copies('completed', 'running').slice(1), ended), [])
  assert.deepEqual(lacksOf(desired, [], ended).map(describeLack), ['web: 1 of 2 missing'])
})

test('what had ended is forgotten when the type has all its copies again', () => {
  const desired = wants('no')
  const ended = rememberEnded(desired, copies('completed'), nothing)
  const gone = rememberEnded(desired, [], ended)
  assert.equal(gone.size, 1)
  const again = rememberEnded(
    desired,
    [{ id: 'PNEW', type: 'web', kind: 'process', status: 'running', detail: null }],
    gone,
  )
  assert.equal(again.size, 0)
})

test('an unhealthy copy is replaced after its time, counted from when it was seen to be so', () => {
  const desired = wants('always', 2)
  const sick = copies('unhealthy', 'running')
  const since = rememberUnhealthy(sick, rememberUnhealthy(sick, new Map(), 1000), 1050)
  assert.deepEqual(replacementTimes(desired, sick, since), [{ id: 'P0', type: 'web', atMs: 1100 }])
  const better = rememberUnhealthy(copies('running', 'running'), since, 1060)
  assert.deepEqual(replacementTimes(desired, sick, better), [])
})

test('a type whose copies may not overlap is let be, unless its file says otherwise', () => {
  const after = (stopFirst: boolean, replacement?: ProcessPlan['health']['replacement']) => {
    const { health, ...rest } = processPlan({ stopFirst })
    const own = { ...rest, health: replacement ? { ...health, replacement } : health }
    return desiredTypes(planOf([own]))[0]!.replaceAfterMs
  }
  assert.deepEqual([after(false), after(true)], [120_000, null])
  assert.equal(after(true, { when: 'always', afterMs: 5000 }), 5000)
  assert.equal(after(false, { when: 'never' }), null)
})

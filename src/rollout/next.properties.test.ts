import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { observedCopy, runModel } from '../../test/support/model-rollout.ts'
import { planOf, processPlan, servesHttp } from '../../test/support/plans.ts'
import { admitPlan, surgeOf } from '../domain/admission.ts'
import { changedTypes } from '../domain/copy-identity.ts'
import { stopsFirst } from '../domain/overlap.ts'
import { capacityOf, type Holder } from '../domain/rack.ts'
import type { Plan, ProcessPlan } from '../domain/plan.ts'
import type { CopyMark, Observed, ObservedCopy } from './runtime.ts'
import type { RolloutState } from './state.ts'

const names = ['web', 'worker', 'db'] as const

const processes: fc.Arbitrary<ProcessPlan> = fc
  .record({
    type: fc.constantFrom(...names),
    count: fc.integer({ min: 0, max: 4 }),
    command: fc.constantFrom<string[] | null>(null, ['other']),
    stopFirst: fc.boolean(),
    restart: fc.constantFrom('always' as const, 'on-failure' as const, 'no' as const),
    minimumPercent: fc.constantFrom(0, 50, 100),
    maximumPercent: fc.constantFrom(100, 125, 200),
    isOpen: fc.boolean(),
    cpuUnits: fc.constantFrom(64, 128, 192),
    waits: fc.array(fc.constantFrom(...names), { maxLength: 2 }),
    condition: fc.constantFrom('started' as const, 'healthy' as const, 'completed' as const),
  })
  .map(({ isOpen, waits, condition, ...rest }) =>
    processPlan({
      ...rest,
      ...(isOpen ? servesHttp(3000, [`${rest.type}.localhost`]) : {}),
      after: waits.map((type) => ({ type, condition })),
    }),
  )

const plans = (release: string): fc.Arbitrary<Plan> =>
  fc.uniqueArray(processes, { maxLength: 3, selector: ({ type }) => type }).map((list) =>
    planOf(
      list.map((processPlan) => onlyAmong(processPlan, list)),
      { release },
    ),
  )

/** A plan names only types that it has. */
function onlyAmong(processPlan: ProcessPlan, list: ProcessPlan[]): ProcessPlan {
  return {
    ...processPlan,
    after: processPlan.after.filter(({ type }) => list.some((other) => other.type === type)),
  }
}

interface Seed {
  plan: number
  type: number
  mark: CopyMark
  state: ObservedCopy['state']
  exitCode: number
  endedByItself: boolean
  isNamed: boolean
  isRouted: boolean
}

const seeds: fc.Arbitrary<Seed> = fc.record({
  plan: fc.nat(1),
  type: fc.nat(2),
  mark: fc.constantFrom<CopyMark>('unproved', 'proved', 'completed', 'parked', 'draining'),
  state: fc.constantFrom('created', 'running', 'restarting', 'ended'),
  exitCode: fc.constantFrom(0, 1, 137),
  endedByItself: fc.boolean(),
  isNamed: fc.boolean(),
  isRouted: fc.boolean(),
})

/** Any mixture of the copies of two releases, in any state that a crash may leave. */
function found(two: [Plan, Plan], list: Seed[]): Observed {
  const routed: string[] = []
  const copies = list.flatMap((seed): ObservedCopy[] => {
    const plan = two[seed.plan]!
    const processPlan = plan.processes[seed.type % Math.max(1, plan.processes.length)]
    if (!processPlan) return []
    const { mark, state, exitCode, endedByItself } = seed
    const isEnded = state === 'ended' || mark === 'completed'
    const copy = observedCopy(plan, processPlan.type, {
      mark,
      state: isEnded ? 'ended' : state,
      exitCode: isEnded ? exitCode : null,
      endedByItself: isEnded && endedByItself,
      names: seed.isNamed ? processPlan.aliases : [],
    })
    if (seed.isRouted && copy.state === 'running') routed.push(copy.process)
    return [copy]
  })
  return { copies, routed }
}

const isStaying = ({ mark }: ObservedCopy) => mark !== 'draining'

function check(plan: Plan, { state }: { state: RolloutState }): void {
  const staying = state.copies.filter(isStaying)
  for (const { type, count } of plan.processes) {
    const own = staying.filter((copy) => copy.type === type)
    assert.equal(own.length, count, `${type}: as many as the plan says`)
    for (const { mark } of own) assert.ok(mark === 'proved' || mark === 'completed', mark)
  }
  const types = new Set<string>(plan.processes.map(({ type }) => type))
  assert.deepEqual(
    staying.filter(({ type }) => !types.has(type)),
    [],
    'no copy of a type that is gone',
  )
  const serving = staying.filter(({ mark }) => mark === 'proved').map((copy) => copy.process)
  assert.deepEqual([...(state.routed ?? [])].sort(), serving.sort(), 'the router knows those that serve')
}

const runs = { numRuns: 500 }

test('from whatever is found, a rollout ends with the plan', () => {
  const two = fc.tuple(plans('RAAAAAAAAAA'), plans('RBBBBBBBBBB'))
  fc.assert(
    fc.property(two, fc.array(seeds, { maxLength: 8 }), (both, list) => {
      check(both[1], runModel(both[1], found(both, list)))
    }),
    runs,
  )
})

test('a rollout that dies anywhere is finished by the next, or undone by the one to what was live', () => {
  const cases = fc.tuple(plans('RAAAAAAAAAA'), plans('RBBBBBBBBBB'), fc.nat(12), fc.boolean())
  fc.assert(
    fc.property(cases, ([live, next, rounds, isUndone]) => {
      const settled = runModel(live, { copies: [], routed: [] }).state
      let left = rounds
      const routedOf = (state: RolloutState) => [...(state.routed ?? state.before)]
      const begun = { copies: settled.copies.filter(isStaying), routed: routedOf(settled) }
      const broken = runModel(next, begun, {}, () => left-- > 0).state
      // A new daemon knows nothing of who was through the gate.
      const seen = { copies: broken.copies, routed: routedOf(broken) }
      const wanted = isUndone ? live : next
      check(wanted, runModel(wanted, seen))
    }),
    runs,
  )
})

test('at no moment do more copies of a type run than were admitted', () => {
  fc.assert(
    fc.property(fc.tuple(plans('RAAAAAAAAAA'), plans('RBBBBBBBBBB')), ([live, next]) => {
      const { copies, routed } = runModel(live, { copies: [], routed: [] }).state
      const begun = { copies, routed: [...(routed ?? [])] }
      const isUp = ({ state, mark }: ObservedCopy) => state === 'running' && mark !== 'draining'
      runModel(next, begun, {}, (state) => {
        for (const processPlan of next.processes) {
          const held = copies.filter(({ type }) => type === processPlan.type).length
          const surge = stopsFirst(processPlan, held) || held === 0 ? 0 : surgeOf(processPlan)
          const up = state.copies.filter((copy) => copy.type === processPlan.type && isUp(copy)).length
          assert.ok(up <= Math.max(processPlan.count, held) + surge, `${processPlan.type}: ${up} run`)
        }
        return true
      })
    }),
    runs,
  )
})

test('a rollout that fails before the old ones leave goes back to what was there, starting nothing', () => {
  const cases = fc.tuple(plans('RAAAAAAAAAA'), plans('RBBBBBBBBBB'), fc.nat(12))
  fc.assert(
    fc.property(cases, ([live, next, rounds]) => {
      const { copies, routed } = runModel(live, { copies: [], routed: [] }).state
      const was = copies.map((copy) => copy.process)
      let left = rounds
      const broken = runModel(next, { copies, routed: [...(routed ?? [])] }, {}, (_state, steps) => {
        return left-- > 0 && steps.every((step) => step.do !== 'retire')
      }).state
      const started = broken.copies
        .map((copy) => copy.process)
        .filter((processId) => !was.includes(processId))
      const seen = { copies: broken.copies, routed: [...(broken.routed ?? broken.before)] }
      const undone = runModel(live, seen, { isUndo: true, leaving: started }, (_state, steps) => {
        assert.ok(steps.every((step) => step.do !== 'start'))
        return true
      })
      check(live, undone)
      const now = undone.state.copies.filter(isStaying).map((copy) => copy.process)
      assert.deepEqual(now.sort(), was.sort(), 'the very copies that were there')
    }),
    runs,
  )
})

/** What the copies that run reserve, those that leave included. */
function reservedBy(copies: ObservedCopy[], two: [Plan, Plan]): Holder[] {
  return copies
    .filter(({ state }) => state === 'running')
    .map(({ type, release }) => {
      const plan = two.find((each) => each.release === release)!
      const { cpuUnits } = plan.processes.find((each) => each.type === type)!
      return { owner: plan.owner, type, kind: 'process', count: 1, each: { cpuUnits, memoryBytes: 0 } }
    })
}

const cpuOf = (holders: Holder[]) => holders.reduce((sum, { each }) => sum + each.cpuUnits, 0)

test('what is admitted never reserves more than there is, also when it is finished by the next daemon', () => {
  let [small, whole] = [0, 0]
  const cases = fc.tuple(plans('RAAAAAAAAAA'), plans('RBBBBBBBBBB'), fc.nat(8), fc.nat(16))
  fc.assert(
    fc.property(cases, ([live, next, left, rounds]) => {
      const two: [Plan, Plan] = [live, next]
      const { copies, routed } = runModel(live, { copies: [], routed: [] }).state
      const holders = reservedBy(copies, two)
      const total = { cpuUnits: cpuOf(holders) + left * 64, memoryBytes: 2 ** 40 }
      const { fits, surges } = admitPlan(next, capacityOf(total, holders), changedTypes(next, live))
      fc.pre(fits)
      const isSmall = next.processes.some((type) => (surges[type.type]?.beside ?? Infinity) < surgeOf(type))
      if (isSmall) small++
      else whole++
      const isWithin = (state: RolloutState) => {
        const reserved = cpuOf(reservedBy(state.copies, two))
        assert.ok(reserved <= total.cpuUnits, `${reserved} of ${total.cpuUnits}`)
        return true
      }
      let toGo = rounds
      const was = { copies, routed: [...(routed ?? [])] }
      const broken = runModel(next, was, { surges }, (state) => isWithin(state) && toGo-- > 0).state
      const seen = { copies: broken.copies, routed: [...(broken.routed ?? broken.before)] }
      check(next, runModel(next, seen, { surges }, isWithin))
    }),
    { numRuns: 2000 },
  )
  assert.ok(small > 50 && whole > 50, `${small} with small waves, ${whole} with whole ones`)
})

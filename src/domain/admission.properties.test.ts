import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { planOf, processPlan } from '../../test/support/plans.ts'
import { admitExtra, admitPlan } from './admission.ts'
import { appOwner, isSameOwner } from './owner.ts'
import type { ProcessPlan } from './plan.ts'
import {
  addResources,
  amountsOf,
  capacityOver,
  reserveBesides,
  sumOf,
  type Holder,
  type Machine,
  type Resources,
} from './rack.ts'

const small = fc.integer({ min: 0, max: 4 })
const sizes: fc.Arbitrary<Resources> = fc.oneof(
  fc.record({ cpuUnits: small, memoryBytes: small }),
  fc.record({ cpuUnits: small, memoryBytes: small, extras: fc.record({ gpu: small }) }),
)
const totals = fc.record({
  cpuUnits: fc.integer({ min: 1, max: 9 }),
  memoryBytes: fc.integer({ min: 1, max: 9 }),
  extras: fc.record({ gpu: small }),
})

const holders: fc.Arbitrary<Holder[]> = fc.array(
  fc.record({
    owner: fc.constantFrom(appOwner('shop'), appOwner('blog'), { kind: 'service' as const, name: 'shop' }),
    type: fc.constantFrom('web', 'worker'),
    kind: fc.constant('process' as const),
    count: fc.integer({ min: 1, max: 2 }),
    each: sizes,
  }),
  { maxLength: 2 },
)

const machinesOf = (count: { min: number; max: number }): fc.Arbitrary<Machine[]> =>
  fc
    .array(fc.record({ total: totals, holders }), { minLength: count.min, maxLength: count.max })
    .map((list) => list.map((machine, index) => ({ id: `i-${index}`, ...machine })))

const processes = fc
  .uniqueArray(
    fc.record({
      type: fc.constantFrom('web', 'worker', 'agent'),
      size: sizes,
      count: fc.integer({ min: 0, max: 3 }),
      stopFirst: fc.boolean(),
      maximumPercent: fc.constantFrom(100, 150, 200),
    }),
    { minLength: 1, maxLength: 3, selector: ({ type }) => type },
  )
  .map((list) =>
    list.map(({ size, type, count, ...rest }) => {
      const isAgent = type === 'agent'
      return processPlan({ type, ...rest, ...size, isAgent, count: isAgent ? Math.min(1, count) : count })
    }),
  )

const holds = (free: Resources, each: Resources) =>
  amountsOf(each).every((needed, at) => needed <= 0 || needed <= (amountsOf(free)[at] ?? 0))

/** Tries every way to lay copies onto what is free; it shares nothing with the packing that is tested. */
function canBeLaid(copies: Resources[], free: Resources[]): boolean {
  const [copy, ...others] = copies
  if (!copy) return true
  return free.some((room, at) => {
    return holds(room, copy) && canBeLaid(others, free.with(at, addResources(room, copy, -1)))
  })
}

const copiesOf = (each: Resources, count: number) => Array.from({ length: Math.max(0, count) }, () => each)

/** The same for the copies of a plan's types and one of every agent on each instance. */
function canStandTogether(types: ProcessPlan[], free: Resources[]): boolean {
  const agents = types.filter(({ isAgent, count }) => isAgent && count > 0)
  if (!free.every((room) => holds(room, sumOfEach(agents)))) return false
  const left = free.map((room) => addResources(room, sumOfEach(agents), -1))
  const copies = types.filter(({ isAgent }) => !isAgent).flatMap((type) => copiesOf(type, type.count))
  return canBeLaid(copies, left)
}

const sumOfEach = (types: ProcessPlan[]): Resources =>
  types.reduce<Resources>((sum, type) => addResources(sum, type), { cpuUnits: 0, memoryBytes: 0 })

const freeOf = (machines: Machine[]) =>
  machines.map(({ total, holders }) => addResources(total, sumOf(holders), -1))

test('what is admitted can be laid onto the instances, copy by copy', () => {
  let admitted = 0
  let refusedForPlace = 0
  fc.assert(
    fc.property(
      machinesOf({ min: 2, max: 3 }),
      sizes,
      fc.integer({ min: 1, max: 4 }),
      (machines, each, count) => {
        const admission = admitExtra('web', each, count, capacityOver(machines))
        const isPossible = canBeLaid(copiesOf(each, count), freeOf(machines))
        if (admission.fits) assert.ok(isPossible)
        // Copies of one size are laid first fit as well as they can be: a refusal for want of a place is true.
        if (admission.unplaced.length > 0) assert.ok(!isPossible)
        admitted += Number(admission.fits)
        refusedForPlace += Number(admission.unplaced.length > 0)
      },
    ),
    { numRuns: 1000 },
  )
  assert.ok(
    admitted > 100 && refusedForPlace > 20,
    `${admitted} admitted, ${refusedForPlace} refused for place`,
  )
})

test('a plan that is admitted beside others can be laid, its agents everywhere', () => {
  let admitted = 0
  fc.assert(
    fc.property(machinesOf({ min: 2, max: 3 }), processes, (machines, types) => {
      const others = machines.map((machine) => {
        return {
          ...machine,
          holders: machine.holders.filter(({ owner }) => !isSameOwner(owner, appOwner('shop'))),
        }
      })
      const admission = admitPlan(planOf(types), capacityOver(others), new Set(types.map(({ type }) => type)))
      if (admission.fits) assert.ok(canStandTogether(types, freeOf(others)))
      admitted += Number(admission.fits)
    }),
    { numRuns: 1000 },
  )
  assert.ok(admitted > 100, `${admitted} admitted`)
})

/**
 * Replaces the copies of one type as a rollout does: old ones leave when no more may run beside them, and new ones go
 * where room is. Tells whether all of them found some.
 */
function canRoll(type: ProcessPlan, machines: Machine[], surge: number): boolean {
  const free = freeOf(machines)
  const old = machines.flatMap(({ holders }, at) =>
    holders
      .filter((holder) => isSameOwner(holder.owner, appOwner('shop')) && holder.type === type.type)
      .flatMap(({ each, count }) => copiesOf(each, count).map((size) => ({ at, size }))),
  )
  const most = Math.max(type.count, old.length + surge)
  const leave = () => {
    const gone = old.pop()
    if (gone) free[gone.at] = addResources(free[gone.at]!, gone.size)
  }
  for (let started = 0; started < type.count; started++) {
    while (old.length > 0 && started + old.length + 1 > most) leave()
    const at = free.findIndex((room) => holds(room, type))
    if (at < 0) return false
    free[at] = addResources(free[at]!, type, -1)
  }
  return true
}

test('a roll that is admitted finds a place for every new copy, whatever size the old ones had', () => {
  let admitted = 0
  fc.assert(
    fc.property(machinesOf({ min: 2, max: 3 }), processes, (machines, types) => {
      const type = types.find(({ isAgent }) => !isAgent)
      // Where something is overfull already a copy may leave and still free nothing.
      fc.pre(
        type !== undefined && freeOf(machines).every((free) => amountsOf(free).every((left) => left >= 0)),
      )
      const admission = admitPlan(planOf([type]), capacityOver(machines), new Set([type.type]))
      const surge = admission.surges[type.type]?.beside ?? 0
      if (admission.fits) assert.ok(canRoll(type, machines, surge))
      admitted += Number(admission.fits)
    }),
    { numRuns: 1000 },
  )
  assert.ok(admitted > 100, `${admitted} admitted`)
})

test('on one instance the sums are the answer', () => {
  fc.assert(
    fc.property(machinesOf({ min: 1, max: 1 }), processes, fc.boolean(), (machines, types, isChanged) => {
      const changed = new Set(isChanged ? types.map(({ type }) => type) : [])
      const admission = admitPlan(planOf(types), capacityOver(machines), changed)
      assert.deepEqual(admission.unplaced, [])
      assert.equal(
        admission.fits,
        amountsOf(admission.short).every((lacking) => lacking === 0),
      )
    }),
  )
})

test('what starts and has no instance yet is taken once, from the instances and from the sum', () => {
  fc.assert(
    fc.property(machinesOf({ min: 1, max: 3 }), sizes, (machines, each) => {
      const starting: Holder = {
        owner: appOwner('shop'),
        type: '(starting)',
        kind: 'one-off',
        count: 1,
        each,
      }
      const { free, instances } = reserveBesides(capacityOver(machines), [starting])
      const sum = instances.reduce<Resources>((all, instance) => addResources(all, instance.free), {
        cpuUnits: 0,
        memoryBytes: 0,
      })
      assert.deepEqual(sum, free)
    }),
  )
})

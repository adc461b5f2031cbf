import { packCopies, type Batch, type Unplaced } from './packing.ts'
import { stopsFirst } from './overlap.ts'
import type { Plan, ProcessPlan } from './plan.ts'
import {
  addResources,
  amountsOf,
  combineResources,
  heldBy,
  noResources,
  sumOf,
  type Capacity,
  type Holder,
  type Resources,
} from './rack.ts'

/** Whether something fits, with the arithmetic that says why. */
export interface Admission {
  fits: boolean
  /** What must be free at the busiest moment, beyond what the owner holds already. */
  needs: Resources
  free: Resources
  /** What is lacking; zero where there is enough. */
  short: Resources
  total: Resources
  demands: Demand[]
  /** By type that is replaced: what was counted with, and what the rollout keeps to. */
  surges: Record<string, Surge>
  holders: Holder[]
  /** Where the sum would fit: copies that no single instance has room for. Always empty on one machine. */
  unplaced: Unplaced[]
}

/** What one type asks for at the busiest moment of the roll. */
export interface Demand {
  type: string
  each: Resources
  /** Copies at the peak, the surge included. */
  peak: number
  /** Copies already reserved by the owner. */
  held: number
}

/** How many copies of a type there were, and how many new ones may run beside those that are replaced. */
export interface Surge {
  held: number
  beside: number
}

/** How the copies of a type are replaced: all of them, or some although they could stay. */
interface Replacement {
  isChanged: boolean
  leaving: number
  /** New copies that may run beside the old ones meanwhile. */
  beside: number
}

/** As many new copies as the percentages allow, and as few: none where one may be missing, or nothing is replaced. */
function besidesOf(type: ProcessPlan, held: Held, { isChanged, leaving }: Omit<Replacement, 'beside'>) {
  if (stopsFirst(type, held.count)) return { most: 0, fewest: 0 }
  const most = isChanged ? surgeOf(type) : Math.min(surgeOf(type), leaving)
  return { most, fewest: Math.min(most, missingOf(type) > 0 ? 0 : 1) }
}

/** The most copies of a type that exist at once while it goes from `held` to its count. */
function peakCopies(type: ProcessPlan, held: number, { beside }: Replacement): number {
  return Math.max(type.count, held > 0 ? held + beside : held)
}

/** The most that a type reserves while its copies go from what they hold to what the plan gives them. */
function peakResources(type: ProcessPlan, held: Held, replacement: Replacement): Resources {
  const { count } = type
  const surge = replacement.beside
  const isReplacedBeside = !stopsFirst(type, held.count) && (replacement.isChanged || replacement.leaving > 0)
  const oldBeside = (started: number) =>
    isReplacedBeside ? Math.min(held.count, Math.max(0, held.count + surge - started)) : 0
  // Between these moments old copies leave one by one as new ones come: the peak is at one of them.
  const moments = [0, surge, surge + held.count, count].filter((started) => started <= count)
  const peakOf = (each: number, heldEach: number) =>
    Math.max(...moments.map((started) => Math.ceil(started * each + oldBeside(started) * heldEach)))
  const copies = Math.max(1, held.count)
  const heldEach = combineResources(held.sum, noResources, (sum) => sum / copies)
  return combineResources(held.sum, combineResources(type, heldEach, peakOf), Math.max)
}

/**
 * The copies that need room beside all that is there. A new one takes the place of an old one that has left where it
 * is no larger than any of them; a larger one finds a place that is free now, as nobody knows whose goes first.
 */
function roomless(type: ProcessPlan, held: Held, replacement: Replacement): number {
  const { isChanged, leaving } = replacement
  const each = resourcesOf(type)
  const fitsInPlace = held.sizes.every((size) => isWithin(each, size))
  if (fitsInPlace) return Math.max(0, peakCopies(type, held.count, replacement) - held.count)
  return isChanged ? type.count : Math.max(0, type.count - held.count) + leaving
}

const isWithin = (each: Resources, size: Resources) =>
  amountsOf(combineResources(each, size, (one, room) => one - room)).every((excess) => excess <= 0)

const resourcesOf = (type: ProcessPlan): Resources => addResources(noResources, type)

/** What the copies of one type reserve now. */
interface Held {
  count: number
  sum: Resources
  sizes: Resources[]
}

/** How many new copies may run beside the old ones: `maximum` percent, and at least one when none may be missing. */
export function surgeOf({ count, minimumPercent, maximumPercent }: ProcessPlan): number {
  const allowed = Math.floor((count * (maximumPercent - 100)) / 100)
  return Math.min(count, Math.max(minimumPercent >= 100 ? 1 : 0, allowed))
}

/** How many of a type's copies may be missing while it is replaced. */
export function missingOf({ count, minimumPercent }: ProcessPlan): number {
  return count - Math.ceil((count * minimumPercent) / 100)
}

/**
 * Decides whether a plan fits, the surge of its changed types included. Where the whole surge does not, it is made as
 * small as it must be: what is refused would not fit with the smallest.
 * @param changed names of the types whose copies will be replaced
 * @param leaving how many copies of other types will be replaced, by type
 */
export function admitPlan(
  plan: Plan,
  capacity: Capacity,
  changed: ReadonlySet<string>,
  leaving: ReadonlyMap<string, number> = new Map(),
): Admission {
  const own = heldBy(capacity, plan.owner, 'process')
  const rolls = plan.processes.map((processPlan): Roll => {
    const instances = capacity.instances.length
    const type = processPlan.isAgent ? { ...processPlan, count: processPlan.count * instances } : processPlan
    const replaced = { isChanged: changed.has(type.type), leaving: leaving.get(type.type) ?? 0 }
    const held = heldIn(own.filter((holder) => holder.type === type.type))
    const { most, fewest } = besidesOf(type, held, replaced)
    return { type, held, most, fewest, replacement: { ...replaced, beside: most } }
  })
  const whole = admitRolls(rolls, capacity)
  if (whole.fits) return whole
  const smallest = rolls.map((roll) => withBeside(roll, roll.fewest))
  const least = admitRolls(smallest, capacity)
  return least.fits ? admitRolls(widened(smallest, capacity), capacity) : least
}

/** One type on its way from what it holds to its count. */
interface Roll {
  type: ProcessPlan
  held: Held
  most: number
  fewest: number
  replacement: Replacement
}

function withBeside(roll: Roll, beside: number): Roll {
  return { ...roll, replacement: { ...roll.replacement, beside } }
}

/** Lets each type in turn have as many copies beside the old ones as still fit. */
function widened(smallest: Roll[], capacity: Capacity): Roll[] {
  return smallest.reduce((rolls, { most, fewest }, index) => {
    const having = (beside: number) => rolls.with(index, withBeside(rolls[index]!, beside))
    return having(largestOf(fewest, most, (beside) => admitRolls(having(beside), capacity).fits))
  }, smallest)
}

/** The largest whole number that holds, where all below it do; the lowest is known to. */
function largestOf(lowest: number, highest: number, holds: (number: number) => boolean): number {
  let [low, high] = [lowest, highest]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}

function admitRolls(rolls: Roll[], capacity: Capacity): Admission {
  const types = rolls.map(({ type, held, replacement }) => {
    const each = resourcesOf(type)
    const peak = peakCopies(type, held.count, replacement)
    const more = addResources(peakResources(type, held, replacement), held.sum, -1)
    const count = roomless(type, held, replacement)
    const batch = { type: type.type, each, count, isEverywhere: type.isAgent }
    return { more, batch, demand: { type: type.type, each, peak, held: held.count } }
  })
  const needs = types.reduce((sum, { more }) => addResources(sum, more), noResources)
  const batches = types.map(({ batch }) => batch)
  const replaced = rolls.filter(
    ({ held, replacement }) => held.count > 0 && (replacement.isChanged || replacement.leaving > 0),
  )
  const surges = replaced.map(({ type, held, replacement }) => {
    return [type.type, { held: held.count, beside: replacement.beside }] as const
  })
  const question = { needs, batches, demands: types.map(({ demand }) => demand) }
  return { ...admission(question, capacity), surges: Object.fromEntries(surges) }
}

function heldIn(holders: Holder[]): Held {
  const count = holders.reduce((sum, holder) => sum + holder.count, 0)
  return { count, sum: sumOf(holders), sizes: holders.map(({ each }) => each) }
}

/** Decides whether `count` copies of something new fit. */
export function admitExtra(type: string, each: Resources, count: number, capacity: Capacity): Admission {
  const needs = addResources(noResources, each, count)
  const batches = [{ type, each, count, isEverywhere: false }]
  return admission({ needs, batches, demands: [{ type, each, peak: count, held: 0 }] }, capacity)
}

/** Decides by the sum alone, of what was admitted once: how many copies it is, and how large, is not known again. */
export function admitAgain(type: string, needs: Resources, capacity: Capacity): Admission {
  return admission({ needs, batches: [], demands: [{ type, each: needs, peak: 1, held: 0 }] }, capacity)
}

interface Question {
  needs: Resources
  batches: Batch[]
  demands: Demand[]
}

function admission({ needs, batches, demands }: Question, capacity: Capacity): Admission {
  const { free, total, holders, instances } = capacity
  // What needs nothing more always fits, or a full rack could not be made smaller.
  const short = combineResources(needs, free, (needed, left) => Math.max(0, needed - Math.max(0, left)))
  const isEnough = amountsOf(short).every((lacking) => lacking === 0)
  // On one machine the sums are the whole answer: there is no other place where a part of it could be missing.
  const unplaced = isEnough && instances.length > 1 ? packCopies(batches, instances) : []
  const fits = isEnough && unplaced.length === 0
  return { fits, needs, free, short, total, demands, surges: {}, holders, unplaced }
}

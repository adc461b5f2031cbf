import type { Plan, ProcessPlan } from './plan.ts'
import { addResources, noResources, type Capacity, type Holder, type Resources } from './rack.ts'

/** Whether something fits, with the arithmetic that says why. */
export interface Admission {
  fits: boolean
  /** What must be free at the busiest moment, beyond what the app holds already. */
  needs: Resources
  free: Resources
  /** What is lacking; zero where there is enough. */
  short: Resources
  total: Resources
  demands: Demand[]
  holders: Holder[]
}

/** What one type asks for at the busiest moment of the roll. */
export interface Demand {
  type: string
  each: Resources
  /** Copies at the peak, the surge included. */
  peak: number
  /** Copies already reserved by the app. */
  held: number
}

/** The most copies of a type that exist at once while it goes from `held` to its count. */
function peakCopies(type: ProcessPlan, held: number, changed: boolean): number {
  const isReplacedBeside = changed && !type.stopFirst && held > 0
  return Math.max(type.count, isReplacedBeside ? held + surgeOf(type) : held)
}

/** The most that a type reserves while its copies go from what they hold to what the plan gives them. */
function peakResources(type: ProcessPlan, held: Held, changed: boolean): Resources {
  const { count } = type
  const isReplacedBeside = changed && !type.stopFirst
  const surge = isReplacedBeside ? surgeOf(type) : 0
  const oldBeside = (started: number) =>
    isReplacedBeside ? Math.min(held.count, Math.max(0, held.count + surge - started)) : 0
  // Between these moments old copies leave one by one as new ones come: the peak is at one of them.
  const moments = [0, surge, surge + held.count, count].filter((started) => started <= count)
  const peakOf = (each: number, heldEach: number) =>
    Math.max(...moments.map((started) => Math.ceil(started * each + oldBeside(started) * heldEach)))
  const { cpuUnits, memoryBytes } = held.sum
  const copies = Math.max(1, held.count)
  return {
    cpuUnits: Math.max(cpuUnits, peakOf(type.cpuUnits, cpuUnits / copies)),
    memoryBytes: Math.max(memoryBytes, peakOf(type.memoryBytes, memoryBytes / copies)),
  }
}

/** What the copies of one type reserve now. */
interface Held {
  count: number
  sum: Resources
}

/** How many new copies may run beside the old ones: `maximum` percent, and at least one when none may be missing. */
export function surgeOf({ count, minimumPercent, maximumPercent }: ProcessPlan): number {
  const allowed = Math.floor((count * (maximumPercent - 100)) / 100)
  return Math.min(count, Math.max(minimumPercent >= 100 ? 1 : 0, allowed))
}

/**
 * Decides whether a plan fits, the surge of its changed types included.
 * @param changed names of the types whose copies will be replaced
 */
export function admitPlan(plan: Plan, capacity: Capacity, changed: ReadonlySet<string>): Admission {
  const own = capacity.holders.filter(({ app, kind }) => app === plan.app && kind === 'process')
  const types = plan.processes.map((process) => {
    const type = process.isAgent ? { ...process, count: process.count * capacity.instances } : process
    const held = heldBy(own.filter((holder) => holder.type === type.type))
    const isChanged = changed.has(type.type)
    const each = { cpuUnits: type.cpuUnits, memoryBytes: type.memoryBytes }
    const peak = peakCopies(type, held.count, isChanged)
    const more = addResources(peakResources(type, held, isChanged), held.sum, -1)
    return { more, demand: { type: type.type, each, peak, held: held.count } }
  })
  const needs = types.reduce((sum, { more }) => addResources(sum, more), noResources)
  const demands = types.map(({ demand }) => demand)
  return admission(needs, capacity, demands)
}

function heldBy(holders: Holder[]): Held {
  return {
    count: holders.reduce((sum, { count }) => sum + count, 0),
    sum: holders.reduce((sum, { each, count }) => addResources(sum, each, count), noResources),
  }
}

/** Decides whether `count` copies of something new fit. */
export function admitExtra(type: string, each: Resources, count: number, capacity: Capacity): Admission {
  return admission(addResources(noResources, each, count), capacity, [{ type, each, peak: count, held: 0 }])
}

function admission(needs: Resources, capacity: Capacity, demands: Demand[]): Admission {
  const { free, total, holders } = capacity
  const short = {
    cpuUnits: Math.max(0, needs.cpuUnits - Math.max(0, free.cpuUnits)),
    memoryBytes: Math.max(0, needs.memoryBytes - Math.max(0, free.memoryBytes)),
  }
  // What needs nothing more always fits, or a full rack could not be made smaller.
  const fits =
    (needs.cpuUnits <= 0 || short.cpuUnits === 0) && (needs.memoryBytes <= 0 || short.memoryBytes === 0)
  return { fits, needs, free, short, total, demands, holders }
}

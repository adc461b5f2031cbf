import {
  addResources,
  amountsOf,
  combineResources,
  noResources,
  type Instance,
  type Resources,
} from './rack.ts'

/** Copies of one type that need room of their own. */
export interface Batch {
  type: string
  each: Resources
  count: number
  /** An agent's: one copy on every instance, whatever the count. */
  isEverywhere: boolean
}

/** Copies that no instance has room for. */
export interface Unplaced {
  type: string
  each: Resources
  count: number
}

/** Lays copies onto instances, agents first and then the largest, each where the first room is; tells what is left. */
export function packCopies(batches: Batch[], instances: Instance[]): Unplaced[] {
  const size = sizeBeside(instances)
  const ordered = batches.toSorted((a, b) => {
    return Number(b.isEverywhere) - Number(a.isEverywhere) || size(b.each) - size(a.each)
  })
  const free = instances.map((instance) => instance.free)
  return ordered.flatMap(({ type, each, count, isEverywhere }): Unplaced[] => {
    if (count <= 0) return []
    const left = isEverywhere ? layEverywhere(each, free) : layFirstFit(each, count, free)
    return left > 0 ? [{ type, each, count: left }] : []
  })
}

/** Takes room for one copy of every instance; returns how many lack it. */
function layEverywhere(each: Resources, free: Resources[]): number {
  return free.keys().reduce((lacking, index) => lacking + layOn(index, each, 1, free), 0)
}

/** Takes room for copies where it is found first; returns how many found none. */
function layFirstFit(each: Resources, count: number, free: Resources[]): number {
  return free.keys().reduce((left, index) => layOn(index, each, left, free), count)
}

/** Takes room for as many copies as fit on one instance; returns how many do not. */
function layOn(index: number, each: Resources, wanted: number, free: Resources[]): number {
  const fitting = Math.min(wanted, howManyFit(each, free[index]!))
  free[index] = addResources(free[index]!, each, -fitting)
  return wanted - fitting
}

/** What a copy does not need it finds everywhere, also where there is less than nothing of it. */
function howManyFit(each: Resources, free: Resources): number {
  const byKind = combineResources(each, free, (one, room) =>
    one > 0 ? Math.floor(Math.max(0, room) / one) : Infinity,
  )
  return Math.min(...amountsOf(byKind))
}

/** How large something is: the largest part that it takes of all that there is of anything. */
function sizeBeside(instances: Instance[]): (each: Resources) => number {
  const all = instances.reduce((sum, { total }) => addResources(sum, total), noResources)
  return (each) =>
    Math.max(...amountsOf(combineResources(each, all, (one, total) => (total > 0 ? one / total : 0))))
}

import { isSameOwner, ofApp, type OfApp, type Owner } from './owner.ts'

/** How much of the rack is there, taken and left. Cpu in units (1024 a core), memory in bytes. */
export interface Capacity {
  total: Resources
  reserved: Resources
  free: Resources
  /** Who holds what is reserved, largest first. */
  holders: Holder[]
  /** The machines that copies run on: a copy fits on one of them, or it does not fit. */
  instances: Instance[]
}

export interface Instance {
  id: string
  total: Resources
  free: Resources
}

export interface Resources {
  cpuUnits: number
  memoryBytes: number
  /** What else is counted, by name, such as `gpu`; absent where nothing is. */
  extras?: Record<string, number>
}

/** One reservation: `count` copies of `each`. */
export interface Holder {
  owner: Owner
  /** The process type, or `build`. */
  type: string
  /** `draining` are copies that leave for good: they count beside what a change of their type needs. */
  kind: 'process' | 'draining' | 'one-off' | 'build'
  count: number
  each: Resources
}

/** A reservation as people are told of it: under its owner's name, and all that a service holds is of one kind. */
export type ToldHolder = Omit<OfApp<Holder>, 'kind'> & { kind: Holder['kind'] | 'service' }

/** An account of what is there, as people are told of it. */
export type Told<T extends { holders: Holder[] }> = Omit<T, 'holders'> & { holders: ToldHolder[] }

export function tellHolders<T extends { holders: Holder[] }>(account: T): Told<T> {
  const holders = account.holders.map((holder) => ({
    ...ofApp(holder),
    kind: holder.owner.kind === 'service' ? ('service' as const) : holder.kind,
  }))
  return { ...account, holders }
}

/** What an owner holds, of one kind or of all. */
export function heldBy({ holders }: Capacity, owner: Owner, kind?: Holder['kind']): Holder[] {
  return holders.filter((holder) => isSameOwner(holder.owner, owner) && (kind ?? holder.kind) === holder.kind)
}

/** What a running build reserves, whatever it really uses. */
export const buildReservation: Resources = { cpuUnits: 256, memoryBytes: 512 * 1024 * 1024 }

export const noResources: Resources = { cpuUnits: 0, memoryBytes: 0 }

/** Does the same with the amounts of cpu, of memory and of every extra. */
export function combineResources(
  a: Resources,
  b: Resources,
  combine: (a: number, b: number) => number,
): Resources {
  const names = Object.keys({ ...a.extras, ...b.extras })
  const extras = names.map((name) => [name, combine(extraOf(a, name), extraOf(b, name))] as const)
  return {
    cpuUnits: combine(a.cpuUnits, b.cpuUnits),
    memoryBytes: combine(a.memoryBytes, b.memoryBytes),
    ...(names.length > 0 && { extras: Object.fromEntries(extras) }),
  }
}

export function addResources(a: Resources, b: Resources, times = 1): Resources {
  return combineResources(a, b, (left, right) => left + right * times)
}

/** The amounts of cpu, of memory and of every extra, without their names. */
export function amountsOf({ cpuUnits, memoryBytes, extras = {} }: Resources): number[] {
  return [cpuUnits, memoryBytes, ...Object.values(extras)]
}

/** What an extra is called is nobody's to choose well: every object seems to have a `constructor`. */
function extraOf({ extras = {} }: Resources, name: string): number {
  return Object.hasOwn(extras, name) ? extras[name]! : 0
}

/** What a machine has, and who holds how much of it. */
export interface Machine {
  id: string
  total: Resources
  holders: Holder[]
}

/** The capacity of a rack that is one machine. */
export function capacityOf(total: Resources, holders: Holder[]): Capacity {
  return capacityOver([{ id: 'machine', total, holders }])
}

/** Sums what the holders reserve against what there is, of each machine and of all. */
export function capacityOver(machines: Machine[]): Capacity {
  const instances = machines.map(({ id, total, holders }) => {
    return { id, total, free: addResources(total, sumOf(holders), -1) }
  })
  return summedUp(instances, mergeHolders(machines.flatMap(({ holders }) => holders)))
}

/** The same capacity less what is reserved and stands on no instance yet: counted where the first room is. */
export function reserveBesides(capacity: Capacity, pending: Holder[]): Capacity {
  let rest = sumOf(pending)
  const instances = capacity.instances.map((instance) => {
    const taken = combineResources(rest, instance.free, (wanted, free) => Math.min(wanted, Math.max(0, free)))
    rest = addResources(rest, taken, -1)
    return { ...instance, free: addResources(instance.free, taken, -1) }
  })
  // More than there is: an overfull rack says so, on its first instance.
  const [first, ...others] = instances
  const all = first ? [{ ...first, free: addResources(first.free, rest, -1) }, ...others] : []
  return summedUp(all, [...capacity.holders, ...pending])
}

function summedUp(instances: Instance[], holders: Holder[]): Capacity {
  const reserved = sumOf(holders)
  const total = instances.reduce((sum, instance) => addResources(sum, instance.total), noResources)
  return {
    total,
    reserved,
    free: addResources(total, reserved, -1),
    holders: holders.toSorted((a, b) => b.count * b.each.memoryBytes - a.count * a.each.memoryBytes),
    instances,
  }
}

/** What these reserve together. */
export function sumOf(holders: Holder[]): Resources {
  return holders.reduce((sum, { each, count }) => addResources(sum, each, count), noResources)
}

/** Copies of one type and size are one holder, on however many machines they run. */
function mergeHolders(holders: Holder[]): Holder[] {
  const alike = Map.groupBy(holders, ({ count: _count, ...about }) => JSON.stringify(about))
  return [...alike.values()].map((group) => {
    return { ...group[0]!, count: group.reduce((sum, { count }) => sum + count, 0) }
  })
}

/** How much of the rack is there, taken and left. Cpu in units (1024 a core), memory in bytes. */
export interface Capacity {
  total: Resources
  reserved: Resources
  free: Resources
  /** Who holds what is reserved, largest first. */
  holders: Holder[]
  instances: number
}

export interface Resources {
  cpuUnits: number
  memoryBytes: number
}

/** One reservation: `count` copies of `each`. */
export interface Holder {
  app: string
  /** The process type, or `build`. */
  type: string
  kind: 'process' | 'one-off' | 'build' | 'service'
  count: number
  each: Resources
}

/** What a running build reserves, whatever it really uses. */
export const buildReservation: Resources = { cpuUnits: 256, memoryBytes: 512 * 1024 * 1024 }

export const noResources: Resources = { cpuUnits: 0, memoryBytes: 0 }

export function addResources(a: Resources, b: Resources, times = 1): Resources {
  return { cpuUnits: a.cpuUnits + b.cpuUnits * times, memoryBytes: a.memoryBytes + b.memoryBytes * times }
}

/** Sums what the holders reserve against a total. */
export function capacityOf(total: Resources, holders: Holder[], instances = 1): Capacity {
  const reserved = holders.reduce((sum, { each, count }) => addResources(sum, each, count), noResources)
  return {
    total,
    reserved,
    free: addResources(total, reserved, -1),
    holders: holders.toSorted((a, b) => b.count * b.each.memoryBytes - a.count * a.each.memoryBytes),
    instances,
  }
}

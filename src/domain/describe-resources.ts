import { formatBytes } from '../lib/sizes.ts'
import type { Unplaced } from './packing.ts'
import type { Resources } from './rack.ts'

/** `256 cpu units and 512 MiB`, and what else there is: `256 cpu units, 512 MiB and 1 gpu` */
export function describeResources({ cpuUnits, memoryBytes, extras = {} }: Resources): string {
  const others = Object.entries(extras).map(([name, amount]) => `${amount} ${name}`)
  const words = [`${cpuUnits} cpu units`, formatBytes(memoryBytes), ...others]
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

/** Why copies do not fit although there is enough in all; a line for each type. */
export function describeUnplaced(unplaced: Unplaced[]): string[] {
  return unplaced.map(({ type, each, count }) => {
    const copies = count === 1 ? 'a copy' : `${count} copies`
    return `the sum would fit, but no instance has room for ${copies} of ${type} (${describeResources(each)} each)`
  })
}

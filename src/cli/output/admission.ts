import type { Admission } from '../../domain/admission.ts'
import type { Resources } from '../../domain/rack.ts'
import { formatBytes } from '../../lib/sizes.ts'

/** The arithmetic of admission: what it needs, what is free, who holds the rest. */
export function describeAdmission({ fits, needs, free, short, total, demands, holders }: Admission): string {
  const lines = [
    fits ? 'It fits.' : 'It does not fit.',
    ...demands.map(
      ({ type, each, peak, held }) =>
        `  ${type}: ${peak} × (${describe(each)}) at the busiest moment, ${held} held already`,
    ),
    `needs ${describe(needs)} more; free ${describe(free)} of ${describe(total)}`,
  ]
  if (fits) return `${lines.join('\n')}\n`
  const largest = holders.slice(0, 8).map(({ app, type, count, each }) => {
    const sum = { cpuUnits: each.cpuUnits * count, memoryBytes: each.memoryBytes * count }
    return `  ${app}/${type} ×${count}: ${describe(sum)}`
  })
  return `${[...lines, `short of ${describe(short)}; held by`, ...largest].join('\n')}\n`
}

/** `256 cpu units and 512 MiB` */
export function describe({ cpuUnits, memoryBytes }: Resources): string {
  return `${cpuUnits} cpu units and ${formatBytes(memoryBytes)}`
}

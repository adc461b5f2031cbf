import type { Across } from './across.ts'
import type { PlacedProcess } from '../keys/process.ts'

/** Says once that networks which keep processes apart in the file do not do so in an app. */
export function tellOfSharedNetwork({ processes, problems }: Across): void {
  const groups = new Map<string, PlacedProcess>()
  for (const process of processes) {
    const key = networksOf(process).sort().join('\n')
    if (!groups.has(key)) groups.set(key, process)
  }
  const apart = [...groups.values()].slice(0, mostGroups)
  for (const [index, one] of apart.entries()) {
    const other = apart.slice(0, index).find((before) => areApart(one, before))
    const at = one.networks[0]?.at ?? other?.networks[0]?.at
    if (!other || !at) continue
    const message = `"${other.type.name}" and "${one.type.name}" are on different networks in the file, but all processes of an app share one`
    return problems.warn(at, message)
  }
}

/** Bounds the comparison of each with each. */
const mostGroups = 50

function networksOf({ networks }: PlacedProcess): string[] {
  return networks.length === 0 ? ['default'] : networks.map(({ value }) => value)
}

function areApart(a: PlacedProcess, b: PlacedProcess): boolean {
  const names = new Set(networksOf(a))
  return !networksOf(b).some((name) => names.has(name))
}

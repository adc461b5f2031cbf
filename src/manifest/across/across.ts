import type { PlacedProcess } from '../keys/process.ts'
import type { Problems } from '../problems.ts'
import { shownPart, type Node } from '../syntax/tree.ts'

/** What a check across the processes of the file knows. */
export interface Across {
  processes: PlacedProcess[]
  /** Names that are left out because of a profile. */
  leftOut: Set<string>
  problems: Problems
}

/** What to say of a process that is named and not there. */
export function absent(name: string, at: Node, leftOut: Set<string>): string {
  return leftOut.has(name)
    ? `the process "${name}" is left out because of its profile`
    : `there is no process ${shownPart(at, name)}`
}

/** The processes of a way that comes back to one of them, in full. */
export function cycleOf(target: string, way: Iterable<string>): string {
  const names = [...way]
  return [...names.slice(names.indexOf(target)), target].join(' → ')
}

import type { EngineFeatures } from '../../domain/features.ts'
import type { Policy } from '../../domain/policy.ts'
import type { External } from '../keys/externals.ts'
import type { PlacedProcess } from '../keys/process.ts'
import { didYouMean } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { shownPart, type Node } from '../syntax/tree.ts'

/** What a check across the processes of the file knows. */
export interface Across {
  processes: PlacedProcess[]
  /** Names that are left out because of a profile. */
  leftOut: Set<string>
  features: EngineFeatures
  policy: Policy
  /** Volumes that no app made, by their keys. */
  externalVolumes: Map<string, External>
  /** Networks that others are on too, by their keys. */
  externalNetworks: Map<string, External>
  /** Networks without a way out, by their keys. */
  internalNetworks: Set<string>
  problems: Problems
}

/** More are not listed in a hint. */
const mostListed = 10

/** Says that a process is named which is not there. */
export function rejectAbsent(name: string, at: Node, { processes, leftOut, problems }: Across): void {
  if (leftOut.has(name)) {
    const message = `the process "${name}" is left out because of its profile`
    const hint = 'turn its profile on with COMPOSE_PROFILES, or remove the name'
    return problems.variable(at, 'error', message, hint)
  }
  problems.error(at, `there is no process ${shownPart(at, name)}`, () => {
    const names = processes.map(({ type }) => type.name)
    const more = names.length > mostListed ? ', …' : ''
    return didYouMean(name, names, `the processes are: ${names.slice(0, mostListed).join(', ')}${more}`)
  })
}

/** The processes of a way that comes back to one of them, in full. */
export function cycleOf(target: string, way: Iterable<string>): string {
  const names = [...way]
  return [...names.slice(names.indexOf(target)), target].join(' → ')
}

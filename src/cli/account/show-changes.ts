import { lostChanges } from '../../account/make-stacks.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import type { Resources } from '../../domain/rack.ts'
import { formatTable } from '../output/table.ts'

/** What would become of a stack: of each resource its name in the template, its type, and what is done. */
export interface PlannedStack {
  name: string
  isNew: boolean
  changes: { action: 'Add' | 'Modify' | 'Remove' | 'Replace'; resource: string; type: string }[]
}

/** Each stack with what would change in it, as text. What would be lost with what hangs on it is marked. */
export function describeUpdate(
  found: {
    stacks: readonly PlannedStack[]
    isNewTool: boolean
    isNewDaemon?: boolean
    snapshotOf?: string | null
    total?: Resources | null
  },
  rack: string,
): string {
  const images = [
    ...(found.isNewTool ? ['the image of what prepares tasks: another one\n'] : []),
    ...(found.isNewDaemon ? ['the image of the daemon: another one\n'] : []),
    ...(found.snapshotOf ? [`a snapshot of the store ${found.snapshotOf}: taken before, minutes\n`] : []),
    ...(found.total ? [`apps may have in total: ${describeResources(found.total)}\n`] : []),
  ]
  return [...found.stacks.map((stack) => describeStack(stack, rack)), ...images].join('')
}

function describeStack(stack: PlannedStack, rack: string): string {
  const { name, changes } = stack
  if (changes.length === 0) return `${name}: no changes of its resources\n`
  const lost = lostChanges(rack, stack)
  type Change = PlannedStack['changes'][number]
  const needs = (change: Change) => (lost.includes(change) ? ` (needs --replace ${change.resource})` : '')
  const columns = [
    { heading: name, value: ({ action }: Change) => `  ${action}` },
    { heading: '', value: ({ resource }: Change) => resource },
    { heading: '', value: (change: Change) => `${change.type}${needs(change)}` },
  ]
  return formatTable(columns, changes)
}

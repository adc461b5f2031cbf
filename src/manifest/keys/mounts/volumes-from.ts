import type { Problems } from '../../problems.ts'
import { childOf, shown, shownPart, type Node } from '../../syntax/tree.ts'
import { processNameOf } from '../process-name.ts'
import type { Placed } from '../relations.ts'
import { itemsOf, textOf } from '../values/values.ts'

/** A process whose volumes another one mounts too. */
export interface VolumesFrom {
  target: string
  readOnly: boolean
}

/** Reads `volumes_from:`, as `process` or `process:ro`. */
export function volumesFromOf(service: Node, problems: Problems): Placed<VolumesFrom>[] {
  return itemsOf(childOf(service, 'volumes_from'), problems).flatMap((at): Placed<VolumesFrom>[] => {
    const text = textOf(at, problems)
    if (text === null) return []
    const [target = '', mode = 'rw', ...more] = text.split(':')
    if (target === 'container' && text !== 'container') {
      problems.error(
        at,
        `${shown(at)} is refused: a rack runs nothing outside of apps and services`,
        'name a process of the file',
      )
      return []
    }
    if (more.length === 0 && (mode === 'ro' || mode === 'rw'))
      return [{ value: { target: processNameOf(target), readOnly: mode === 'ro' }, at }]
    const wrong = more.length > 0 ? shown(at) : `the mode ${shownPart(at, mode)}`
    problems.error(at, `${wrong} is not known`, 'write "process" or "process:ro"')
    return []
  })
}

import type { Problems } from '../../problems.ts'
import { childOf, type Node } from '../../syntax/tree.ts'
import { entriesOf } from './values.ts'

/** Keys of a process that are mappings, and whose parts are read here and there. */
const mappings = [
  ['deploy'],
  ['deploy', 'resources'],
  ['deploy', 'resources', 'limits'],
  ['deploy', 'resources', 'reservations'],
  ['deploy', 'restart_policy'],
  ['deploy', 'update_config'],
  ['logging'],
]

/** Says where a mapping is expected and something else stands, which would be passed over in silence otherwise. */
export function checkShapes(service: Node, problems: Problems): void {
  for (const path of mappings) {
    const node = path.reduce<Node | undefined>(childOf, service)
    entriesOf(node, problems)
  }
}

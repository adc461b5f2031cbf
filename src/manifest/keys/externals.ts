import type { Problems } from '../problems.ts'
import { childOf, type Node } from '../syntax/tree.ts'
import { booleanOf, entriesOf, textOf } from './values/values.ts'

/** A volume or network that the file does not want to be made: what its engine calls it, and where the file says so. */
export interface External {
  name: string
  at: Node
}

/** Which entries of the top-level `volumes:` or `networks:` are `external`, by their keys. */
export function externalsOf(node: Node | undefined, problems: Problems): Map<string, External> {
  const found = new Map<string, External>()
  for (const [key, { value }] of entriesOf(node, problems)) {
    const external = childOf(value, 'external')
    // `external: { name: NAME }` is the form before 3.5.
    const isExternal = external?.kind === 'map' || booleanOf(external, problems) === true
    const named = childOf(external, 'name') ?? childOf(value, 'name')
    if (external && isExternal)
      found.set(key, { name: textOf(named, problems) || key, at: named ?? external })
  }
  return found
}

import { didYouMean } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { childOf, keyNode, shown, shownPart, type Node } from '../syntax/tree.ts'
import type { Placed } from './relations.ts'
import { entriesOf, itemsOf, textOf } from './values/values.ts'

/** What a process is called on its networks, and which those are. */
export interface Networking {
  /** Names under the top-level `networks:`; a process that names none is on `default`. */
  networks: Placed<string>[]
  /** `container_name` and aliases. */
  hostNames: Placed<string>[]
}

const hostName = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/

/** Reads `networks:` in both syntaxes and `container_name:`; `declared` is null where any name will do. */
export function networkingOf(service: Node, declared: Set<string> | null, problems: Problems): Networking {
  const node = childOf(service, 'networks')
  const named = node?.kind === 'map' ? fromMap(node, problems) : fromList(node, problems)
  for (const { value, at } of named) {
    if (value !== 'default' && declared && !declared.has(value))
      problems.error(at, `the network ${shownPart(at, value)} is not declared`, () =>
        didYouMean(value, declared, 'declare it under `networks:` at the end of the file, or remove it'),
      )
  }
  const container = childOf(service, 'container_name')
  const aliases = node?.kind === 'map' ? aliasesOf(node, problems) : []
  const hostNames = [...(container ? [container] : []), ...aliases].flatMap((at): Placed<string>[] => {
    const value = textOf(at, problems)
    if (value === null) return []
    if (value.length <= 253 && value.split('.').every((part) => hostName.test(part))) return [{ value, at }]
    problems.error(at, `${shown(at)} is not a host name`, 'use letters, digits, dashes and dots')
    return []
  })
  return { networks: named, hostNames }
}

function fromMap(node: Node, problems: Problems): Placed<string>[] {
  return entriesOf(node, problems).map(([value, { key }]) => ({
    value,
    at: keyNode(value, key),
  }))
}

function fromList(node: Node | undefined, problems: Problems): Placed<string>[] {
  return itemsOf(node, problems).flatMap((at): Placed<string>[] => {
    const value = textOf(at, problems)
    return value === null ? [] : [{ value, at }]
  })
}

function aliasesOf(node: Node, problems: Problems): Node[] {
  return entriesOf(node, problems).flatMap(([, { value }]) => {
    entriesOf(value, problems)
    return itemsOf(childOf(value, 'aliases'), problems)
  })
}

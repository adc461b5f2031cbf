import type { Problems } from '../problems.ts'
import { childOf, keyNode, shown, shownPart, type Node } from '../syntax/tree.ts'
import type { Placed } from './relations.ts'
import { isHostName } from './values/host-name.ts'
import { undeclared } from './mounts/volumes.ts'
import { entriesOf, itemsOf, textOf } from './values/values.ts'

/** What a process is called on its networks, and which those are. */
export interface Networking {
  /** Names under the top-level `networks:`; a process that names none is on `default`. */
  networks: Placed<string>[]
  /** `container_name`. */
  hostNames: Placed<string>[]
  aliases: PlacedAlias[]
}

/** A further host name on one network. */
export interface PlacedAlias extends Placed<string> {
  network: string
}

/** Reads `networks:` in both syntaxes and `container_name:`; `declared` is null where any name will do. */
export function networkingOf(service: Node, declared: Set<string> | null, problems: Problems): Networking {
  const node = childOf(service, 'networks')
  const named = node?.kind === 'map' ? fromMap(node, problems) : fromList(node, problems)
  for (const { value, at } of named) {
    if (value !== 'default' && declared && !declared.has(value))
      problems.error(at, `the network ${shownPart(at, value)} is not declared`, () =>
        undeclared('networks', value, declared),
      )
  }
  const container = childOf(service, 'container_name')
  const hostNames = container ? hostNameOf(container, problems) : []
  return { networks: named, hostNames, aliases: node?.kind === 'map' ? aliasesOf(node, problems) : [] }
}

function hostNameOf(at: Node, problems: Problems): Placed<string>[] {
  const value = textOf(at, problems)
  if (value === null) return []
  if (isHostName(value)) return [{ value, at }]
  problems.error(at, `${shown(at)} is not a host name`, 'use letters, digits, dashes and dots')
  return []
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

function aliasesOf(node: Node, problems: Problems): PlacedAlias[] {
  return entriesOf(node, problems).flatMap(([network, { value }]) => {
    entriesOf(value, problems)
    const names = itemsOf(childOf(value, 'aliases'), problems)
    return names.flatMap((at) => hostNameOf(at, problems).map((alias) => ({ ...alias, network })))
  })
}

import type { Problems } from '../problems.ts'
import { childOf, type Node } from '../syntax/tree.ts'
import type { Placed } from './relations.ts'
import { entriesOf, textOf } from './values/values.ts'

/** The addresses that a process would have on its networks: `ipv4_address` and `ipv6_address`. */
export function fixedAddressesOf(service: Node, problems: Problems): Placed<string>[] {
  const networks = childOf(service, 'networks')
  if (networks?.kind !== 'map') return []
  const nodes = entriesOf(networks, problems).flatMap(([, { value }]) =>
    ['ipv4_address', 'ipv6_address'].flatMap((key) => childOf(value, key) ?? []),
  )
  return nodes.flatMap((at) => {
    const value = textOf(at, problems)
    return value ? [{ value, at }] : []
  })
}

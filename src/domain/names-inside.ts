import { networksOf, shareNetwork } from './isolation.ts'
import type { ProcessType } from './manifest.ts'

/** A type that can be reached, and the names for it. */
export interface Peer {
  type: string
  names: string[]
}

/**
 * How a type is reached inside the app, and how it reaches others: those that it shares a network with, by what they are
 * called there. Its aliases are the names that all of those know it by.
 */
export function namesInside(type: ProcessType, types: ProcessType[]): { aliases: string[]; peers: Peer[] } {
  const near = types.filter((peer) => isNear(peer, type))
  const peers = near.map((peer) => ({ type: peer.name, names: namesFor(type, peer, types) }))
  const names = namesOf(type, types)
  return { aliases: type.isolation ? names.filter(clearNames(type, near, types)) : names, peers }
}

/** Whether all who reach a type know it by a name, and the name is no other's. */
function clearNames(type: ProcessType, near: ProcessType[], types: ProcessType[]): (name: string) => boolean {
  const others = new Set(types.filter((peer) => peer !== type).flatMap((peer) => namesOf(peer, types)))
  const known = near.map((peer) => namesFor(peer, type, types))
  return (name) => !others.has(name) && known.every((names) => names.includes(name))
}

function isNear(one: ProcessType, other: ProcessType): boolean {
  return shareNetwork(networksOf(one.isolation), networksOf(other.isolation))
}

/** What a type is called by those on a network that the caller is on. */
function namesFor(caller: ProcessType, type: ProcessType, types: ProcessType[]): string[] {
  const own = networksOf(caller.isolation)
  return namesOf(type, types, (network) => own?.includes(network) ?? true)
}

/** A type's own names, and the aliases by which others link to it; of all networks, or of some. */
export function namesOf(
  { name, hostNames, isolation }: ProcessType,
  types: ProcessType[],
  isIn: (network: string) => boolean = () => true,
): string[] {
  const links = types.flatMap((type) => type.links.filter(({ target }) => target === name))
  const there = (isolation?.networks ?? []).filter((network) => isIn(network.name))
  const aliases = there.flatMap((network) => network.aliases)
  return [...new Set([name, ...hostNames, ...aliases, ...links.map(({ alias }) => alias)])]
}

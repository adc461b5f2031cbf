import { shareNetwork } from '../../../domain/isolation.ts'
import type { Separation } from '../../../domain/separation.ts'
import type { FoundCopy } from '../containers/found-copy.ts'

/** A container at its address, whether it runs or not. */
export interface PlacedCopy {
  /** Process id. */
  process: string
  type: string
  address: string
  /** Those of the file that it is on; null is every one. */
  networks: string[] | null
  isEnclosed: boolean
  /** False for one-offs and the like, which are none of the copies of their type. */
  isCopy: boolean
  /** True for a service: it answers who calls it, and calls nobody there. */
  answersOnly?: true
}

/** What reaches the same copies. */
export interface PlacedGroup {
  networks: string[] | null
  members: PlacedCopy[]
}

/** Whether the networks of a file say anything about who reaches whom. */
export function isSeparated(placed: PlacedCopy[]): boolean {
  return placed.some(({ networks }) => networks !== null)
}

/**
 * Groups what is placed by the networks that it is on. While two releases of a type are there each of its copies is on
 * those of both, so that none loses those whom it calls before it has left.
 */
export function groupsOf(placed: PlacedCopy[]): PlacedGroup[] {
  const byType = Map.groupBy(
    placed.filter(({ isCopy }) => isCopy),
    ({ type }) => type,
  )
  const union = new Map(Array.from(byType, ([type, copies]) => [type, unionOf(copies)]))
  const groups = new Map<string, PlacedGroup>()
  for (const copy of placed) {
    const networks = copy.isCopy ? (union.get(copy.type) ?? null) : copy.networks
    const key = JSON.stringify(networks)
    const group = groups.get(key) ?? { networks, members: [] }
    group.members.push(copy)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function unionOf(copies: PlacedCopy[]): string[] | null {
  const all = copies.map(({ networks }) => networks)
  return all.includes(null) ? null : [...new Set(all.flatMap((networks) => networks ?? []))].sort()
}

/** What the kernel is to hold to; null where all reach each other. */
export function separationOf(placed: PlacedCopy[], subnet: string): Separation | null {
  if (!isSeparated(placed)) return null
  const groups = groupsOf(placed)
  return {
    subnet,
    groups: groups.map(({ networks, members }) => ({
      members: addressesOf(members),
      reached: groups.flatMap((other) =>
        shareNetwork(networks, other.networks) ? addressesOf(other.members) : [],
      ),
    })),
    enclosed: addressesOf(placed.filter(({ isEnclosed }) => isEnclosed)),
  }
}

/** What was found, where the rack has given it an address. */
export function placedOf(found: FoundCopy[]): PlacedCopy[] {
  return found.flatMap(({ process: processId, type, address, networks, isEnclosed, kind }) =>
    address === null
      ? []
      : [{ process: processId, type, address, networks, isEnclosed, isCopy: kind === 'process' }],
  )
}

/** A service that its owner is led to: on every network, so that whoever is led to it reaches it. */
export function placedService(key: string, address: string): PlacedCopy {
  return {
    process: key,
    type: key,
    address,
    networks: null,
    isEnclosed: false,
    isCopy: false,
    answersOnly: true,
  }
}

function addressesOf(copies: PlacedCopy[]): string[] {
  return copies.map(({ address }) => address)
}

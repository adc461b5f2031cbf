import { shareNetwork } from '../../../domain/isolation.ts'
import type { Lead, VirtualName } from '../../../domain/virtual-name.ts'
import { typesOf, type Leading, type NamedCopy } from './leading.ts'
import { groupsOf, isSeparated, type PlacedCopy } from './placed.ts'

/** `unwell` copies are met where there is no other. */
export type Condition = 'up' | 'unwell' | 'down'

/** Who calls: all of a subnet alike, unless the networks of their file keep some of what is placed there apart. */
export interface Callers {
  subnet: string
  placed: PlacedCopy[]
}

/**
 * The names of one owner that lead anywhere, or whose callers wait; the range refuses the rest.
 */
export function virtualNames(
  { copies, early, held }: Leading,
  callers: Callers,
  about: {
    addressOf: (type: string) => string
    conditionOf: (process: string) => Condition
    nowMs: number
  },
): VirtualName[] {
  const waiting = held.filter(({ untilMs }) => untilMs > about.nowMs).map(({ type }) => type)
  const types = new Set([...typesOf(copies), ...typesOf(early.copies), ...waiting])
  const circles = circlesOf(callers)
  return Array.from(types, (type) => {
    const serving = (some: NamedCopy[]) => servingOf(some, type, about.conditionOf)
    const ahead: Lead = {
      sources: early.callers.map(({ address }) => address),
      copies: serving(early.copies),
    }
    const leads = circles.map(({ sources, meets }) => ({ sources, copies: serving(copies.filter(meets)) }))
    return {
      address: about.addressOf(type),
      leads: [ahead, ...leads].filter((lead) => lead.sources.length > 0 && lead.copies.length > 0),
      isHeld: waiting.includes(type),
    }
  })
}

/** Callers that meet the same copies. */
function circlesOf({
  subnet,
  placed,
}: Callers): { sources: string[]; meets: (copy: NamedCopy) => boolean }[] {
  if (!isSeparated(placed)) return [{ sources: [subnet], meets: () => true }]
  const groups = groupsOf(placed)
  return groups.map(({ networks, members }) => {
    const met = groups
      .filter((other) => shareNetwork(networks, other.networks))
      .flatMap((other) => other.members.map((copy) => copy.process))
    const reached = new Set(met)
    return {
      sources: members.map(({ address }) => address),
      meets: (copy) => reached.has(copy.process),
    }
  })
}

/** The addresses of a type's copies that are well; of those that are not, where there is no other. */
export function servingOf(
  copies: NamedCopy[],
  type: string,
  conditionOf: (process: string) => Condition,
): string[] {
  const of = (wanted: Condition) =>
    copies
      .filter((copy) => copy.type === type && conditionOf(copy.process) === wanted)
      .map(({ address }) => address)
  const well = of('up')
  return well.length > 0 ? well : of('unwell')
}

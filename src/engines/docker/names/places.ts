import type { Separation } from '../../../domain/separation.ts'
import { isSeparated, separationOf, type PlacedCopy } from './placed.ts'

/** Where the containers of each owner are, and on which networks. */
export interface Places {
  of(owner: string): PlacedCopy[]
  /** Whether the networks of their files keep some of an owner's apart. */
  areSeparated(owner: string): boolean
  /** An address has one holder, and a subnet one owner: who had it before is no more. */
  put(owner: string, subnet: string, copy: PlacedCopy): void
  drop(owner: string, processId: string): void
  clear(): void
  separations(): Separation[]
  /** Addresses of services among what is placed. */
  answering(): string[]
}

export function createPlaces(): Places {
  const sites = new Map<string, { subnet: string; copies: Map<string, PlacedCopy> }>()
  const of = (owner: string) => [...(sites.get(owner)?.copies.values() ?? [])]
  return {
    of,
    areSeparated: (owner) => isSeparated(of(owner)),
    put(owner, subnet, copy) {
      for (const [other, site] of sites) if (other !== owner && site.subnet === subnet) sites.delete(other)
      const copies = sites.get(owner)?.copies ?? new Map<string, PlacedCopy>()
      for (const { process: processId, address } of copies.values())
        if (address === copy.address && processId !== copy.process) copies.delete(processId)
      copies.set(copy.process, copy)
      sites.set(owner, { subnet, copies })
    },
    drop: (owner, processId) => void sites.get(owner)?.copies.delete(processId),
    clear: () => sites.clear(),
    separations: () =>
      [...sites.values()].flatMap(({ subnet, copies }) => separationOf([...copies.values()], subnet) ?? []),
    answering: () =>
      [...sites.values()].flatMap(({ copies }) =>
        [...copies.values()].flatMap(({ answersOnly, address }) => (answersOnly ? [address] : [])),
      ),
  }
}

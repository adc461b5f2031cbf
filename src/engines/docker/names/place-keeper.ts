import { ownerKey, readOwnerKey, type Owner } from '../../../domain/owner.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { placedOf, type PlacedCopy } from './placed.ts'
import type { Places } from './places.ts'

type Signalled = { signal: AbortSignal }

/** Knows which containers are where, which is a matter of rules where the networks of a file keep some of them apart. */
export interface PlaceKeeper {
  /** Whether this machine keeps copies on separate networks apart. */
  keepsApart(control: Signalled): Promise<boolean>
  /** A container is about to run at an address: it reaches whom its networks let it, and nobody before. @throws host-failed */
  place(owner: Owner, copy: PlacedCopy, control: Signalled): Promise<void>
  /** What is there of an owner, and nothing else is, but for what is being made. The rules follow behind. */
  see(owner: Owner, found: FoundCopy[]): Promise<void>
  /** A container is gone. The rules follow behind. */
  leave(owner: Owner, processId: string): void
}

export interface PlaceKeeperParts {
  places: Places
  subnetOf: (owner: Owner) => Promise<string>
  /** Whether its container is being made. */
  isInFlight: (processId: string) => boolean
  rules: {
    areUsed(): boolean
    keepApart(control: Signalled): Promise<boolean>
    apply(control: Signalled): Promise<void>
    applyBehind(): void
  }
}

export function createPlaceKeeper({ places, subnetOf, isInFlight, rules }: PlaceKeeperParts): PlaceKeeper {
  const rulesOf = (key: string) => (places.areSeparated(key) ? JSON.stringify(places.of(key)) : null)
  return {
    keepsApart: async (control) => rules.areUsed() && (await rules.keepApart(control)),
    async place(owner, copy, control) {
      if (!rules.areUsed()) return
      const key = ownerKey(owner)
      const isKnown = places
        .of(key)
        .some((one) => one.process === copy.process && one.address === copy.address)
      places.put(key, await subnetOf(owner), copy)
      if (places.areSeparated(key) || (copy.answersOnly && !isKnown)) await rules.apply(control)
    },
    async see(owner, found) {
      if (!rules.areUsed()) return
      const key = ownerKey(owner)
      const before = rulesOf(key)
      const present = placedOf(found)
      // Whoever has nothing left may have no subnet any more.
      const subnet = present.length > 0 ? await subnetOf(owner) : ''
      for (const copy of present) places.put(key, subnet, copy)
      const there = new Set(present.map((copy) => copy.process))
      for (const { process: processId } of places.of(key)) {
        // A service that is led to has its place whether it runs or not.
        const isService = readOwnerKey(processId).kind === 'service'
        if (!there.has(processId) && !isInFlight(processId) && !isService) places.drop(key, processId)
      }
      if (rulesOf(key) !== before) rules.applyBehind()
    },
    leave(owner, processId) {
      const key = ownerKey(owner)
      const isNews = places.areSeparated(key) || readOwnerKey(processId).kind === 'service'
      places.drop(key, processId)
      if (isNews) rules.applyBehind()
    },
  }
}

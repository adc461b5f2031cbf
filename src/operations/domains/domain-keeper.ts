import type { Domain, DomainSource } from '../../domain/domain-name.ts'
import type { DomainStore } from '../../domain/stores/rack-stores.ts'
import { openKnownList } from '../../lib/known-list.ts'

/** The domains of a rack; what holds now is at hand without asking the store. */
export interface DomainKeeper extends DomainSource {
  /** The one of this name: another app's where that was there before. */
  add(domain: Omit<Domain, 'since'>): Promise<Domain>
  /** False when the app had none of that name. */
  remove(app: string, name: string): Promise<boolean>
  /** Reads them again, as when an app has gone with its own. */
  refresh(): Promise<void>
}

export async function openDomains(domains: DomainStore): Promise<DomainKeeper> {
  const known = await openKnownList(() => domains.list())
  return {
    current: known.current,
    refresh: () => known.change(async () => undefined),
    add: (domain) => known.change(() => domains.add(domain)),
    remove: (app, name) => known.change(() => domains.remove(app, name)),
  }
}

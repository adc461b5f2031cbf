import type { Edge } from '../edge/edge.ts'
import type { ConnectionLimits } from '../edge/connection-limits.ts'
import type { Installation } from '../host/installation.ts'
import type { OperationsRoom } from '../operations/create-operations.ts'
import type { RemoteStoreOptions, StoreOptions } from '../store/open-store.ts'

/** What of a daemon depends on where it runs: on a machine, in a directory of the rack's, or inside the rack's account. */
export interface DaemonPlace {
  installation: Installation
  /** Where its store is, and what opens it. @throws what finding that throws */
  storeOptions(): Promise<StoreOptions | RemoteStoreOptions>
  /** How long one that still leads the store is waited for, ms; 0 where nobody else may. */
  leadPatienceMs: number
  tokens: NewTokens
  api: ApiPlace
  /** Where its words go, if somebody has to keep that short. */
  logFile: string | null
}

/** Hashes that somebody has left who may do all on the machine, or in the account. */
export interface NewTokens {
  /** Takes those that wait into the store; what is kept waits no more, so that a crash in between repeats it. */
  takeIn(room: Pick<OperationsRoom, 'takeInToken'>): Promise<void>
  /** How often that is looked at, ms. */
  periodMs: number
}

/** Where the API answers. */
export interface ApiPlace {
  limits: ConnectionLimits
  /** By which it is asked for through what stands in front of it; null where nothing does. */
  ownHost: string | null
  /** Settles with the address that is shown. */
  listen(edge: Edge): Promise<string>
}

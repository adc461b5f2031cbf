import type { RackError } from './error.ts'
import { ownName, type Role } from './token.ts'

/** Who asks for something. */
export interface Caller {
  /** What the journal and the audit call it: the name of its token. */
  name: string
  role: Role
  /** The apps that it may see and change; null for all of them, and for the rack itself. */
  apps: string[] | null
  /** Where a call comes from; absent for what the rack does by itself. */
  origin?: Origin
}

export interface Origin {
  /** An address, `socket` on the machine itself, or who has come to that by ssh, as claimed. */
  source: string
  /** The id of the request. */
  request: string
}

/** That somebody has shown a token that is good. */
export interface Login {
  caller: Caller
  /** Hears once that it is good no longer, revoked or expired; not after it is disposed. */
  whenOver: (hear: (reason: RackError) => void) => Disposable
}

/** What a rack does by itself, such as recovery. */
export const rackItself: Caller = { name: ownName, role: 'admin', apps: null }

/** Whether the caller may know of an app; null is none in particular. */
export function isOneOf({ apps }: Caller, app: string | null): boolean {
  return apps === null || app === null || apps.includes(app)
}

import type { ErrorCode } from './error.ts'

/** That somebody asked for something; never what was said with it, which may be secret. */
export interface AuditNote {
  /** The name of the token. */
  caller: string
  verb: string
  app: string | null
  /** What of the app or rack is meant: a release, a build, a process, a volume, names of variables. */
  subject: string | null
  /** From where: an address, `socket` on the machine itself, or `ssh USER@ADDRESS (as claimed)` by way of it; null for what the rack does by itself. */
  source: string | null
  /** Of the request, as it was told to the client and in the daemon's log. */
  request: string | null
}

export interface AuditEntry extends AuditNote {
  /** Counts up. */
  id: number
  begun: string
  ended: string | null
  /** Null while it goes on, and for good when the daemon died meanwhile. */
  outcome: AuditOutcome | null
  /** Of what was written last of it: counts up with every beginning and every end. Null for what the rack has not written. */
  place: number | null
}

export type AuditOutcome = 'done' | ErrorCode

/** Which entries, newest first; all of what is said holds. */
export interface AuditQuery {
  /** So many at most. */
  limit: number
  /** Those that have begun or ended after this place, in the order of their places. */
  after?: number | undefined
  /** Begun then or later: RFC 3339 in UTC. */
  since?: string | undefined
  app?: string | undefined
  actor?: string | undefined
}

/** What was found of the chain in which the audit is written. */
export interface AuditProof {
  /** That were looked at. */
  entries: number
  /** Null where all is as it was written. */
  fault: AuditFault | null
}

export interface AuditFault {
  kind: 'altered' | 'missing' | 'reordered' | 'cut' | 'foreign'
  /** The entry, where there still is one. */
  id: number | null
  detail: string
}

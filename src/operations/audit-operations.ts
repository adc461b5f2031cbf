import type { AuditEntry, AuditProof, AuditQuery } from '../domain/audit.ts'

/** The verbs of the audit. */
export interface AuditOperations {
  /** Who asked for what, newest first. */
  listAudit(query: AuditQuery): Promise<AuditEntry[]>
  /** Whether all that is kept of it is as it was written. */
  verifyAudit(): Promise<AuditProof>
}

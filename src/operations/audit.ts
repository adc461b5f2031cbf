import type { AuditNote, AuditOutcome } from '../domain/audit.ts'
import { codeOf, type RackError } from '../domain/error.ts'
import type { AuditStore } from '../domain/stores/rack-stores.ts'
import { createLineQuota, type LineQuota } from '../lib/line-quota.ts'
import type { Context } from './context.ts'

/** Keeps who asked for what, and how it ended: in the store and in the daemon's log. */
export interface Audit {
  /** Settles as the call does. */
  tell<Result>(note: AuditNote, call: () => Promise<Result>): Promise<Result>
  /** Kept within a quota of each token, so that nobody who may do nothing drives out what others did; the log has all. */
  refused(note: AuditNote, refusal: RackError): Promise<void>
}

/** Of 20,000 entries that are kept. */
const refusalsPerToken = { lines: 100, periodMs: 24 * 3600 * 1000 }

/**
 * Begun before the call, so that one in the middle of which the daemon dies is there, without an outcome. A store that
 * cannot keep it is no reason to refuse: on a full disk, prune and delete are what is needed.
 */
export function createAudit(store: AuditStore, log: Context['log']): Audit {
  const begin = async (note: AuditNote): Promise<number | null> => {
    try {
      return await store.begin(note)
    } catch (error) {
      log('warn', 'the audit has no row of this', { ...note, code: codeOf(error) })
      return null
    }
  }
  const end = async (id: number | null, note: AuditNote, outcome: AuditOutcome): Promise<void> => {
    log('info', 'audit', { ...note, outcome })
    if (id === null) return
    try {
      await store.end(id, outcome)
    } catch (error) {
      log('warn', 'the audit lacks an outcome', { ...note, outcome, code: codeOf(error) })
    }
  }
  const quotas = new Map<string, LineQuota>()
  const quotaOf = (token: string): LineQuota => {
    const quota = quotas.get(token) ?? createLineQuota(refusalsPerToken)
    quotas.set(token, quota)
    return quota
  }
  return {
    async tell(note, call) {
      const id = await begin(note)
      try {
        const result = await call()
        await end(id, note, 'done')
        return result
      } catch (error) {
        await end(id, note, codeOf(error))
        throw error
      }
    },
    async refused(note, refusal) {
      const leftOut = quotaOf(note.caller).take(performance.now())
      if (leftOut === null) return log('info', 'audit', { ...note, outcome: refusal.code, isKept: false })
      const more = leftOut === 0 ? '' : `after ${leftOut} refusals that are not kept`
      const subject = [note.subject ?? '', more].filter(Boolean).join(' ') || null
      await end(await begin({ ...note, subject }), { ...note, subject }, refusal.code)
    },
  }
}

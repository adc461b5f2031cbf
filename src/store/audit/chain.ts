import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Selectable, Transaction } from 'kysely'
import type { Schema } from '../schema.ts'

export type AuditRow = Selectable<Schema['audit']>
export type AuditHead = Selectable<Schema['audit_head']>

/** Where the chain is: how much was written, and the code of the last. */
export interface Place {
  no: number
  mac: string
}

export const beginning: Place = { no: 0, mac: '' }

/** What is written when a call begins, and when it has ended. */
export type Begun = Pick<AuditRow, 'caller' | 'verb' | 'app' | 'subject' | 'source' | 'request' | 'begun'>
export type Ended = Pick<AuditRow, 'begin_no' | 'ended' | 'outcome'>

/** The codes by which what is written of the audit hangs together; who has not the key can make none. */
export interface AuditCodes {
  /** That a call began, as what follows on a place. */
  beginning(before: Place, begun: Begun): string
  /** That it ended. */
  end(before: Place, ended: Ended): string
  /** Seals a place that is kept somewhere by itself. */
  seal(purpose: 'anchor' | 'head', place: Place): string
}

export function createAuditCodes(key: Buffer): AuditCodes {
  const code = (...parts: (string | number | null)[]) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
  return {
    beginning: ({ no, mac }, { caller, verb, app, subject, source, request, begun }) =>
      code('begin', mac, no + 1, caller, verb, app, subject, source, request, begun),
    end: ({ no, mac }, { begin_no: begun, ended, outcome }) =>
      code('end', mac, no + 1, begun, ended, outcome),
    seal: (purpose, { no, mac }) => code(purpose, no, mac),
  }
}

export function isSameCode(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Lets nobody else write until the transaction has ended. @returns where the chain is; undefined where that was taken away */
export async function lockChain(transaction: Transaction<Schema>): Promise<AuditHead | undefined> {
  return await transaction
    .updateTable('audit_head')
    .set((eb) => ({ count: eb.ref('count') }))
    .returningAll()
    .executeTakeFirst()
}

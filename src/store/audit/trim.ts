import type { Transaction } from 'kysely'
import type { Schema } from '../schema.ts'
import { isSameCode, type AuditCodes, type Place } from './chain.ts'
import { walk } from './verify.ts'

/** The newest entries that are kept: what is asked often shall not fill the disk. */
const keptEntries = 20_000
const keptDays = 400
/** It is looked at no more often, by the numbers of entries. */
const every = 16

interface Trimming {
  codes: AuditCodes
  /** The newest entry. */
  newest: number
  now: string
  /** As far as is known outside of the database: what is not stays. */
  told: Place
}

/**
 * Lets go of what is old. What stays begins at an anchor, the place before it, so that it verifies by itself: all that
 * was written up to there goes, and nothing that was written later.
 */
export async function trimAudit(
  transaction: Transaction<Schema>,
  { codes, newest, now, told }: Trimming,
): Promise<void> {
  if (newest % every !== 0) return
  const oldest = new Date(Date.parse(now) - keptDays * 24 * 3600 * 1000).toISOString()
  const from = await firstKept(transaction, { newest, oldest, most: told.no + 1 })
  await transaction
    .deleteFrom('audit')
    .where('begin_no', 'is', null)
    .where('seq', '<=', newest - keptEntries)
    .execute()
  const end = await proveUpTo(transaction, codes, from)
  if (end === null || end.no !== from - 1) return
  await transaction.deleteFrom('audit').where('begin_no', '<', from).execute()
  await transaction
    .updateTable('audit_head')
    .set({ anchor_no: end.no, anchor_mac: end.mac, anchor_seal: codes.seal('anchor', end) })
    .execute()
}

/** What is not as it was written stays, whatever its age: a time that was changed shall not take the proof of it away. */
async function proveUpTo(
  transaction: Transaction<Schema>,
  codes: AuditCodes,
  from: number,
): Promise<Place | null> {
  const head = await transaction.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow()
  const anchor = { no: head.anchor_no, mac: head.anchor_mac }
  if (!isSameCode(codes.seal('anchor', anchor), head.anchor_seal)) return null
  if (from <= anchor.no + 1) return null
  const rows = await transaction.selectFrom('audit').selectAll().where('begin_no', '<', from).execute()
  const { fault, end } = walk(anchor, rows, codes)
  return fault ? null : end
}

/** The first place that stays: before it nothing was written of a call that ended later. */
async function firstKept(
  transaction: Transaction<Schema>,
  { newest, oldest, most }: { newest: number; oldest: string; most: number },
): Promise<number> {
  const young = await transaction
    .selectFrom('audit')
    .select(transaction.fn.min('begin_no').as('no'))
    .where('begun', '>=', oldest)
    .where('seq', '>', newest - keptEntries)
    .executeTakeFirst()
  let from = Math.min(young?.no ?? 0, most)
  for (;;) {
    const later = await transaction
      .selectFrom('audit')
      .select(transaction.fn.min('begin_no').as('no'))
      .where('begin_no', '<', from)
      .where('end_no', '>=', from)
      .executeTakeFirst()
    if (later?.no === null || later?.no === undefined) return from
    from = later.no
  }
}

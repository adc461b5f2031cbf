import type { Transaction } from 'kysely'
import type { AuditEntry, AuditOutcome } from '../../domain/audit.ts'
import type { AuditStore } from '../../domain/stores/rack-stores.ts'
import { clean, type StoreContext } from '../context.ts'
import type { Schema } from '../schema.ts'
import { sql } from 'kysely'
import { lockChain, type AuditRow, type Begun, type Place } from './chain.ts'
import type { AuditChain } from './open-chain.ts'
import { trimAudit } from './trim.ts'
import { verifyAudit } from './verify.ts'

/** Who asked for what, as rows that hang together in a chain. */
export function createAuditStore(context: StoreContext): AuditStore {
  const { db, now, auditChain } = context
  const { headFile } = auditChain
  return {
    async begin({ caller, verb, app, subject, source, request }) {
      const words = { caller: clean(caller), app: app && clean(app), subject: subject && clean(subject) }
      const begun = { ...words, verb, source, request, begun: now() }
      const { seq, place } = await db
        .transaction()
        .execute((transaction) => writeBeginning(transaction, auditChain, begun))
      await headFile.write(place)
      return seq
    },
    async end(id, outcome) {
      const ending = { id, ended: now(), outcome }
      const place = await db.transaction().execute((transaction) => writeEnd(transaction, auditChain, ending))
      if (place) await headFile.write(place)
    },
    async list({ limit, after, since, app, actor }) {
      const place = sql<number>`coalesce(end_no, begin_no)`
      let query = db.selectFrom('audit').selectAll().limit(limit)
      if (after === undefined) query = query.orderBy('seq', 'desc')
      else query = query.where(place, '>', after).orderBy(place)
      if (since !== undefined) query = query.where('begun', '>=', since)
      if (app !== undefined) query = query.where('app', '=', app)
      if (actor !== undefined) query = query.where('caller', '=', actor)
      return (await query.execute()).map(entryOf)
    },
    verify: () => verifyAudit(context),
  }
}

async function writeBeginning(
  transaction: Transaction<Schema>,
  chain: AuditChain,
  begun: Begun,
): Promise<{ seq: number; place: Place }> {
  const place = await advance(transaction, chain, (before) => chain.codes.beginning(before, begun))
  const { seq } = await transaction
    .insertInto('audit')
    .values({ ...begun, begin_no: place.no, begin_mac: place.mac })
    .returning('seq')
    .executeTakeFirstOrThrow()
  const { codes, headFile } = chain
  await trimAudit(transaction, { codes, newest: seq, now: begun.begun, told: headFile.furthest() })
  return { seq, place }
}

/** Null where there is nothing to end. */
async function writeEnd(
  transaction: Transaction<Schema>,
  chain: AuditChain,
  { id, ...ending }: { id: number; ended: string; outcome: AuditOutcome },
): Promise<Place | null> {
  await lockChain(transaction)
  const row = await transaction
    .selectFrom('audit')
    .select('begin_no')
    .where('seq', '=', id)
    .where('outcome', 'is', null)
    .executeTakeFirst()
  if (!row) return null
  const place = await advance(transaction, chain, (before) => chain.codes.end(before, { ...row, ...ending }))
  const written = { ...ending, end_no: place.no, end_mac: place.mac }
  await transaction.updateTable('audit').set(written).where('seq', '=', id).execute()
  return place
}

/** Goes on by one place, of which the code is made by what is before it. */
async function advance(
  transaction: Transaction<Schema>,
  { headFile }: AuditChain,
  codeAfter: (before: Place) => string,
): Promise<Place> {
  const { count, mac: before } = await transaction
    .updateTable('audit_head')
    .set((eb) => ({ count: eb('count', '+', 1) }))
    .returning(['count', 'mac'])
    .executeTakeFirstOrThrow()
  const from = { no: count - 1, mac: before }
  headFile.goesOn(from)
  const mac = codeAfter(from)
  await transaction.updateTable('audit_head').set({ mac }).execute()
  return { no: count, mac }
}

function entryOf({
  seq,
  caller,
  verb,
  app,
  subject,
  source,
  request,
  begun,
  ended,
  outcome,
  begin_no: beginNo,
  end_no: endNo,
}: AuditRow): AuditEntry {
  const place = endNo ?? beginNo
  return { id: seq, caller, verb, app, subject, source, request, begun, ended, outcome, place }
}

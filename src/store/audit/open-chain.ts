import type { Transaction } from 'kysely'
import type { Database } from '../database.ts'
import { keyBytes } from '../key-file.ts'
import type { Schema } from '../schema.ts'
import type { StoreKeys } from '../store-keys.ts'
import {
  beginning,
  createAuditCodes,
  isSameCode,
  type AuditCodes,
  type AuditHead,
  type AuditRow,
  type Place,
} from './chain.ts'
import { createHeadFile, type HeadFile, type ToldPlace, type Warn } from './head-file.ts'

export interface AuditChain {
  codes: AuditCodes
  headFile: HeadFile
}

interface ChainFiles extends Pick<StoreKeys, 'audit' | 'auditHead'> {
  randomBytes: (count: number) => Uint8Array
  warn: Warn
}

/**
 * Takes the key of the audit, which is another than that of the store, and begins its chain where there is none: with
 * all that an earlier version has written. Key and file are there before it, so that a crash in between repeats it.
 * @throws store-failed, disk-full
 */
export async function openAuditChain({ db }: Database, files: ChainFiles): Promise<AuditChain> {
  const found = await files.audit.read()
  const key = found ?? (await files.audit.create(files.randomBytes(keyBytes)))
  const codes = createAuditCodes(key)
  const headFile = createHeadFile(files.auditHead, codes, files.warn)
  if (!found) await headFile.write(beginning)
  const told = await headFile.read()
  const head = await db.transaction().execute(async (transaction) => {
    const { no, mac } = told?.isOurs ? told : beginning
    const made = await transaction
      .insertInto('audit_head')
      .values({
        single: 1,
        count: no,
        mac,
        anchor_no: 0,
        anchor_mac: '',
        anchor_seal: codes.seal('anchor', beginning),
      })
      .onConflict((conflict) => conflict.column('single').doNothing())
      .returning('single')
      .executeTakeFirst()
    // Where the file says more there was a chain: who took it away shall not get a new one of what they left.
    if (made && told?.isOurs && told.no === 0) return await chainEarlier(transaction, codes)
    const fault = await faultSince(transaction, told)
    if (fault !== null) headFile.freeze(fault)
    return null
  })
  if (head) await headFile.write(head)
  return { codes, headFile }
}

/** What is wrong with the chain as the file tells of it, for people; null where it is no other. */
async function faultSince(transaction: Transaction<Schema>, told: ToldPlace | null): Promise<string | null> {
  const head = await transaction.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow()
  if (!told) return head.count === 0 ? null : 'the file that says how far it has come is missing'
  if (!told.isOurs) return 'the file that says how far it has come was changed'
  if (head.count < told.no) return `it has come to ${head.count}, and had come to ${told.no}`
  const mac = await macAt(transaction, told.no, head)
  return mac !== null && isSameCode(mac, told.mac) ? null : `what was written as number ${told.no} is another`
}

/** Of what was written as this number; null where there is nothing. */
async function macAt(transaction: Transaction<Schema>, no: number, head: AuditHead): Promise<string | null> {
  if (no === head.count) return head.mac
  if (no === head.anchor_no) return head.anchor_mac
  const row = await transaction
    .selectFrom('audit')
    .select(['begin_no', 'begin_mac', 'end_mac'])
    .where((eb) => eb.or([eb('begin_no', '=', no), eb('end_no', '=', no)]))
    .executeTakeFirst()
  return (row?.begin_no === no ? row.begin_mac : row?.end_mac) ?? null
}

async function chainEarlier(transaction: Transaction<Schema>, codes: AuditCodes): Promise<Place> {
  let head = beginning
  const rows = await transaction.selectFrom('audit').selectAll().orderBy('seq').execute()
  for (const row of rows) head = await chainRow(transaction, codes, head, row)
  await transaction.updateTable('audit_head').set({ count: head.no, mac: head.mac }).execute()
  return head
}

async function chainRow(
  transaction: Transaction<Schema>,
  codes: AuditCodes,
  before: Place,
  row: AuditRow,
): Promise<Place> {
  const begun = { no: before.no + 1, mac: codes.beginning(before, row) }
  const links = { begin_no: begun.no, begin_mac: begun.mac }
  const update = transaction.updateTable('audit').where('seq', '=', row.seq)
  if (row.outcome === null) {
    await update.set(links).execute()
    return begun
  }
  const ended = { no: begun.no + 1, mac: codes.end(begun, { ...row, ...links }) }
  await update.set({ ...links, end_no: ended.no, end_mac: ended.mac }).execute()
  return ended
}

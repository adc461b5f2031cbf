import type { AuditFault, AuditProof } from '../../domain/audit.ts'
import type { StoreContext } from '../context.ts'
import { isSameCode, lockChain, type AuditCodes, type AuditRow, type Place } from './chain.ts'
import type { ToldPlace } from './head-file.ts'

/** One thing that was written: that a call began, or that it ended. */
interface Written {
  place: Place
  row: AuditRow
  code: (before: Place) => string
}

/** Goes through the chain from its anchor to its end, and tells of the first thing that is not as it was written. */
export async function verifyAudit({ db, auditChain }: StoreContext): Promise<AuditProof> {
  const { codes, headFile } = auditChain
  // Read first: what is written meanwhile makes the database be ahead of it, which is no fault.
  const told = await headFile.read()
  const { rows, head } = await db.transaction().execute(async (transaction) => {
    // Nothing is written or let go of while it is read.
    const locked = await lockChain(transaction)
    return { rows: await transaction.selectFrom('audit').selectAll().orderBy('seq').execute(), head: locked }
  })
  const prove = (fault: AuditFault | null): AuditProof => ({ entries: rows.length, fault })
  if (!head) return prove(faultOf('missing', null, 'the store has lost where the audit is'))
  const anchor = { no: head.anchor_no, mac: head.anchor_mac }
  if (!isSameCode(codes.seal('anchor', anchor), head.anchor_seal)) {
    return prove(faultOf('altered', null, 'where the audit begins was changed, or its key is another'))
  }
  const { fault, end } = walk(anchor, rows, codes)
  if (fault) return prove(fault)
  return prove(orderFault(rows) ?? tailFault(end, head.count, told, rows, anchor))
}

/** Goes from an anchor through rows, in whatever order, to the first fault or the end. */
export function walk(
  anchor: Place,
  rows: AuditRow[],
  codes: AuditCodes,
): { fault: AuditFault | null; end: Place } {
  let before = anchor
  const written = rows.flatMap((row) => writtenOf(row, codes))
  for (const { place, row, code } of written.toSorted((one, other) => one.place.no - other.place.no)) {
    if (place.no > before.no + 1) {
      const detail = `what was written as number ${before.no + 1}, before entry ${row.seq}, is missing`
      return { fault: faultOf('missing', row.seq, detail), end: before }
    }
    if (place.no <= before.no || !isSameCode(code(before), place.mac)) {
      return { fault: faultOf('altered', row.seq, `entry ${row.seq} is not as it was written`), end: before }
    }
    before = place
  }
  return { fault: null, end: before }
}

function writtenOf(row: AuditRow, codes: AuditCodes): Written[] {
  const { begin_no: begun, begin_mac: beginMac, end_no: ended, end_mac: endMac, outcome } = row
  if (begun === null) return []
  const began = {
    place: { no: begun, mac: beginMac ?? '' },
    row,
    code: (at: Place) => codes.beginning(at, row),
  }
  if (ended === null && outcome === null) return [began]
  return [
    began,
    { place: { no: ended ?? begun + 1, mac: endMac ?? '' }, row, code: (at: Place) => codes.end(at, row) },
  ]
}

/** Numbers of entries go up with the chain, and there is none outside of it. */
function orderFault(rows: AuditRow[]): AuditFault | null {
  let last = 0
  for (const { seq, begin_no: no } of rows) {
    if (no === null) return faultOf('foreign', seq, `entry ${seq} was not written by the rack`)
    if (no < last) return faultOf('reordered', seq, `entry ${seq} is not in the place where it was written`)
    last = no
  }
  return null
}

function tailFault(
  end: Place,
  count: number,
  told: ToldPlace | null,
  rows: AuditRow[],
  anchor: Place,
): AuditFault | null {
  const id = rows.at(-1)?.seq ?? null
  if (count === 0 && !told) return null
  if (!told) return faultOf('missing', null, 'the file that says how far the audit has come is missing')
  if (!told.isOurs)
    return faultOf('altered', null, 'the file that says how far the audit has come was changed')
  const furthest = Math.max(count, told.no)
  if (end.no < furthest) {
    return faultOf('cut', id, `${furthest - end.no} of the last things that were written are missing`)
  }
  // Nothing is let go of that the file does not tell of, so what it tells of is there.
  const row = rows.find(({ begin_no: begun, end_no: ended }) => begun === told.no || ended === told.no)
  const there = told.no === anchor.no ? anchor.mac : row?.begin_no === told.no ? row.begin_mac : row?.end_mac
  if (there === told.mac) return null
  const detail = `what was written up to number ${told.no} was cut off, and the audit has gone on from before it`
  return faultOf('cut', row?.seq ?? null, detail)
}

function faultOf(kind: AuditFault['kind'], id: number | null, detail: string): AuditFault {
  return { kind, id, detail }
}

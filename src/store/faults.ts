import { RackError } from '../domain/error.ts'

const busyHint = 'Try again; if it stays so, look for another program that holds the store.'
const damageHint = 'Stop the rack and restore its directory from a backup.'
const fileHint = 'Look after the permissions of the rack directory, and the disk that it is on.'
const reachHint =
  'Check that the database runs and that RACK_DATABASE_URL names it; in an account, RACK_DATABASE_HOST.'

/** Extended result codes, https://sqlite.org/rescode.html; the lower byte is the primary code. */
const sqliteCodes = {
  busy: 5,
  full: 13,
  corrupt: 11,
  notDatabase: 26,
  foreignKey: 787,
  primaryKey: 1555,
  unique: 2067,
}

/** An error of the file system in Rack's words; what is none comes back as it is. */
export function fileFault(error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' ? diskFull(error) : failed(error, fileHint)
}

/** An error of `node:sqlite` in Rack's words; what is none comes back as it is. */
export function sqliteFault(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, errcode } = error as Error & { code?: string; errcode?: number }
  if (code !== 'ERR_SQLITE_ERROR') return error
  if (errcode === sqliteCodes.unique || errcode === sqliteCodes.primaryKey) return taken(error)
  if (errcode === sqliteCodes.foreignKey) return missing(error)
  const primary = (errcode ?? 0) & 0xff
  if (primary === sqliteCodes.full) return diskFull(error)
  if (primary === sqliteCodes.busy) return failed(error, busyHint)
  const isDamaged = primary === sqliteCodes.corrupt || primary === sqliteCodes.notDatabase
  return failed(error, isDamaged ? damageHint : undefined)
}

/** An error of Postgres or of the way to it, in Rack's words; a bug of ours comes back as it is. */
export function postgresFault(error: unknown): unknown {
  if (error instanceof RackError || !(error instanceof Error)) return error
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  const { code } = error as Error & { code?: string }
  if (code === '23505') return taken(error)
  if (code === '23503') return missing(error)
  if (code === '53100') return diskFull(error)
  // 55P03 is a lock that did not come in time, 57014 a statement that was ended for its time, 40P01 a deadlock.
  if (code === '55P03' || code === '57014' || code === '40P01') return failed(error, busyHint)
  // 28 is a refused login, 3D a database that is not there; what never reached the server has no SQLSTATE.
  const isServers = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(28|3D|08|57)/.test(code)
  if (isServers) return failed(error)
  return error.constructor === Error || code !== undefined ? failed(error, reachHint) : error
}

function taken(cause: Error): RackError {
  return new RackError('exists', 'the store has a row of that name already', { cause })
}

function missing(cause: Error): RackError {
  return new RackError('not-found', 'the store has no row of that name', { cause })
}

function diskFull(cause: Error): RackError {
  return new RackError('disk-full', 'the disk of the store is full; nothing was changed', {
    hint: 'Make room on the disk that holds the rack directory, then try again.',
    cause,
  })
}

function failed(cause: Error, hint?: string): RackError {
  const context = hint === undefined ? { cause } : { hint, cause }
  return new RackError('store-failed', `the store failed: ${reason(cause)}`, context)
}

/** A connection that was tried on several addresses carries its reasons inside. */
function reason(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((inner) => (inner as Error).message).join('; ')
  return error.message
}

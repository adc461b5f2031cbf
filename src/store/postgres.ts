import { Kysely, PostgresDialect, sql, type PostgresPool, type PostgresPoolClient } from 'kysely'
import { Client, Pool, types, type ClientConfig, type PoolClient } from 'pg'
import { RackError } from '../domain/error.ts'
import type { Database, Dialect } from './database.ts'
import { advisoryKeys } from './advisory-keys.ts'
import { postgresFault } from './faults.ts'
import type { Schema } from './schema.ts'

const connections = 8
const connectTimeoutMs = 10_000
/** The server ends a statement after the first, a wait for a lock after the second. */
const statementTimeoutMs = 30_000
const lockTimeoutMs = 15_000
/** Past this the server itself is taken for gone. */
const answerTimeoutMs = 40_000

/** A server that is reached by TLS alone, and shows a certificate of its host. */
export interface PostgresServer {
  host: string
  port: number
  database: string
  user: string
  password: string
  /** Whose certificates are believed, and nobody else's: PEM. */
  authorities: string
}

/**
 * Prepares connections to a Postgres; the first query opens one.
 * @param place `postgres://…`, or a server
 * @throws invalid for a URL that cannot be read
 */
export function openPostgres(place: string | PostgresServer): Database {
  const pool = new Pool({
    ...connectionTo(place),
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  })
  // An idle connection that breaks is dropped by the pool, and the next query opens another or says why it can't.
  // Without a listener the event would end the program.
  pool.on('error', () => {})
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: guarded(pool) }) })
  const close = async () => (pool.ended ? undefined : await pool.end())
  return { db, dialect, copyTo: null, close }
}

const dialect: Dialect = {
  hasRowLocks: true,
  addSequence: (table) =>
    table.addColumn('seq' as never, 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity()),
  async lockSubnets(transaction) {
    await sql`lock table subnets in share row exclusive mode`.execute(transaction)
  },
  async lockEvents(transaction) {
    await sql`select pg_advisory_xact_lock(${sql.lit(advisoryKeys.rack)}, ${sql.lit(advisoryKeys.events)})`.execute(
      transaction,
    )
  },
}

/** @throws invalid for a URL that cannot be read */
export function connectionTo(place: string | PostgresServer): ClientConfig {
  if (typeof place !== 'string') {
    const { authorities: ca, ...server } = place
    return { ...server, ssl: { ca, rejectUnauthorized: true } }
  }
  checkUrl(place)
  return { connectionString: place }
}

/** Looks at the URL before a connection does: the error of a bad one would carry it, password and all. */
function checkUrl(url: string): void {
  const isPostgres = /^postgres(ql)?:\/\//.test(url)
  if (isPostgres && canRead(url)) return
  throw new RackError('invalid', 'RACK_DATABASE_URL is not the URL of a Postgres database', {
    hint: 'Write it as postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters percent-encoded.',
  })
}

function canRead(url: string): boolean {
  try {
    return new Client({ connectionString: url }).port > 0
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

const int8 = 20

/** Counts and byte sizes come as numbers; none of ours passes 2^53. */
function parserOf(oid: number, format?: 'text' | 'binary') {
  return oid === int8 ? Number : types.getTypeParser(oid, format)
}

/** The one door to Postgres: its errors are translated here, and each connection is told its settings once. */
function guarded(pool: Pool): PostgresPool {
  const clients = new WeakMap<PoolClient, PostgresPoolClient>()
  return {
    options: pool.options,
    end: async () => pool.end(),
    async connect() {
      const client = await translated(pool.connect())
      const known = clients.get(client)
      if (known) return known
      await configure(client)
      // Without the form that streams through a cursor, which nothing here uses.
      const door = {
        query: async (text: string, values: readonly unknown[]) =>
          await translated(client.query(text, [...values])),
        release: (isBroken?: boolean) => client.release(isBroken),
      } as unknown as PostgresPoolClient
      clients.set(client, door)
      return door
    },
  }
}

/** Set by a statement, since a connection pooler in front of the server may refuse start-up options. */
async function configure(client: PoolClient): Promise<void> {
  try {
    await translated(
      client.query(
        `select set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),
          case when current_setting('synchronous_commit') = 'off'
            then set_config('synchronous_commit', 'on', false) end`,
        [String(statementTimeoutMs), String(lockTimeoutMs)],
      ),
    )
  } catch (error) {
    client.release(true)
    throw error
  }
}

async function translated<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw postgresFault(error)
  }
}

import { hostname } from 'node:os'
import { Client } from 'pg'
import { RackError } from '../domain/error.ts'
import type { Lease } from '../domain/store.ts'
import { advisoryKeys } from './advisory-keys.ts'
import { postgresFault } from './faults.ts'
import { connectionTo, type PostgresServer } from './postgres.ts'

const connectTimeoutMs = 10_000
/** A session that is silent is asked so often, and given so long: past both its server may have freed the lock. */
const askEveryMs = 5000
const answerTimeoutMs = 5000
const lockKey = [advisoryKeys.rack, advisoryKeys.lead] as const

/**
 * Takes the lead by a lock that a session of its own holds: the server frees it with the session, and whoever loses the
 * session has lost the lead. A pooler in front of the server must give sessions, not transactions.
 * @throws conflict while another leads; store-failed; invalid for a URL that cannot be read
 */
export async function leadPostgres(place: string | PostgresServer): Promise<Lease> {
  const client = new Client({
    ...connectionTo(place),
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
  })
  const session = watchSession(client)
  try {
    await client.connect()
    await takeLock(client)
  } catch (error) {
    await session.end()
    throw postgresFault(error)
  }
  session.ask()
  return { lost: session.lost, [Symbol.asyncDispose]: () => session.end() }
}

async function takeLock(client: Client): Promise<void> {
  // What dies without a word shall not lead for hours: the server asks after it, too.
  await client.query(
    `select set_config('application_name', $1, false), set_config('tcp_keepalives_idle', '5', false),
      set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '2', false),
      set_config('idle_session_timeout', '0', false)`,
    [`rack daemon ${process.pid} on ${hostname()}`.slice(0, 63)],
  )
  const taken = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [
    ...lockKey,
  ])
  if (taken.rows[0]?.got) return
  const holders = await client.query<{ name: string }>(
    `select application_name as name from pg_stat_activity join pg_locks using (pid)
      where locktype = 'advisory' and classid = $1 and objid = $2 and granted and datname = current_database()`,
    [...lockKey],
  )
  throw ledByAnother(holders.rows[0]?.name)
}

/** Notices the end of a session: told by the connection, or by an answer that does not come. */
function watchSession(client: Client) {
  const lost = new AbortController()
  let isEnding = false
  let timer: NodeJS.Timeout | undefined
  const lose = (cause?: unknown) => {
    clearTimeout(timer)
    if (!isEnding) lost.abort(lostLead(cause))
  }
  const ask = () => {
    timer = setTimeout(() => {
      client.query('select 1').then(ask, lose)
    }, askEveryMs)
    timer.unref()
  }
  client.on('error', lose)
  client.on('end', () => lose())
  return {
    lost: lost.signal,
    ask,
    async end() {
      isEnding = true
      clearTimeout(timer)
      await client.end()
    },
  }
}

function ledByAnother(holder: string | undefined): RackError {
  const who = holder ? `${holder} leads` : 'another daemon leads'
  return new RackError('conflict', `${who} this store already`, {
    hint: 'One daemon at a time works on a rack: stop that one, or give this rack a database of its own.',
  })
}

function lostLead(cause: unknown): RackError {
  return new RackError('store-failed', 'the session by which this daemon leads its store is lost', {
    hint: 'Look after the database and the way to it, then: rack start',
    cause,
  })
}

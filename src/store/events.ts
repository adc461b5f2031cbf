import { once } from 'node:events'
import type { Selectable, Transaction } from 'kysely'
import { RackError } from '../domain/error.ts'
import type { RackEvent } from '../domain/event.ts'
import type { EventStore } from '../domain/stores/work-stores.ts'
import type { StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

/** The sequence of events as rows, in the order in which they were committed. */
export function createEventStore({ db, news, keptEvents }: StoreContext): EventStore {
  const newest = async () => {
    const query = db.selectFrom('events').select('seq').orderBy('seq', 'desc').limit(1)
    return (await query.executeTakeFirst())?.seq ?? 0
  }
  return {
    newest,
    async after(cursor, limit) {
      const query = db.selectFrom('events').selectAll().where('seq', '>', cursor).orderBy('seq').limit(limit)
      const rows = await query.execute()
      // Asked after the rows were read: what is cut meanwhile is noticed.
      const last = await newest()
      if (cursor > last || cursor < last - keptEvents) throw gone(cursor, last)
      return rows.map(eventOf)
    },
    listen() {
      const leaving = new AbortController()
      const heard = once(news, 'change', { signal: leaving.signal }).then(nothing)
      // To stop listening is no failure of whoever did not wait.
      heard.catch(nothing)
      return { heard, [Symbol.dispose]: () => leaving.abort() }
    },
  }
}

/**
 * Adds an event to what a transaction changes; the last of what it does, since others with events wait for its end.
 * Those that are older than what is kept go.
 */
export async function addEvent(
  { dialect, now, keptEvents }: StoreContext,
  transaction: Transaction<Schema>,
  { noun, change, app, id, facts }: Omit<RackEvent, 'cursor' | 'time'>,
): Promise<void> {
  // Numbers are given in the order of commits then: a reader never passes one that is still to come.
  await dialect.lockEvents(transaction)
  const { seq } = await transaction
    .insertInto('events')
    .values({ time: now(), noun, change, app, item: id, facts: JSON.stringify(facts) })
    .returning('seq')
    .executeTakeFirstOrThrow()
  await transaction
    .deleteFrom('events')
    .where('seq', '<=', seq - keptEvents)
    .execute()
}

function eventOf({ seq, item, facts, ...row }: Selectable<Schema['events']>): RackEvent {
  return { cursor: seq, ...row, id: item, facts: JSON.parse(facts) as RackEvent['facts'] }
}

function gone(cursor: number, newest: number): RackError {
  return new RackError('gone', `the events after ${cursor} are no longer kept`, {
    hint: `Read the whole state, then follow from the newest: ${newest}`,
    details: { after: cursor, newest },
  })
}

function nothing(): void {}

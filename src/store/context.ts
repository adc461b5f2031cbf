import type { EventEmitter } from 'node:events'
import type { Selectable, Transaction } from 'kysely'
import { RackError } from '../domain/error.ts'
import { makeId, type IdPrefix } from '../domain/id.ts'
import type { Sealing } from '../domain/store.ts'
import type { AuditChain } from './audit/open-chain.ts'
import type { Database } from './database.ts'
import type { Cipher } from './encryption.ts'
import type { Schema } from './schema.ts'

/** What the store of every noun is made with. */
export interface StoreContext extends Database {
  cipher: Cipher
  sealing: Sealing
  auditChain: AuditChain
  randomBytes: (count: number) => Uint8Array
  /** RFC 3339 in UTC, with milliseconds. */
  now: () => string
  /** How many rows an app's journal keeps; those of what runs stay in any case. */
  keptOperations: number
  /** How many events are kept. */
  keptEvents: number
  /** Says `change` when a transaction that may have added events is durable. */
  news: EventEmitter
}

/** Runs a change and its events in one transaction; whoever listens hears of it when it is durable. */
export async function transact<T>(
  { db, news }: StoreContext,
  work: (transaction: Transaction<Schema>) => Promise<T>,
): Promise<T> {
  const result = await db.transaction().execute(work)
  news.emit('change')
  return result
}

const attempts = 5

/** Runs a task with a fresh id; an id that is taken, which luck forbids, is followed by another. */
export async function withNewId<T>(
  { randomBytes }: StoreContext,
  prefix: IdPrefix,
  task: (id: string) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task(makeId(prefix, randomBytes))
    } catch (error) {
      // What a task refuses by itself has no cause, and is refused again.
      const isTaken = error instanceof RackError && error.code === 'exists' && error.cause !== undefined
      if (!isTaken || attempt === attempts) throw error
    }
  }
}

/**
 * Reads an app in a transaction and keeps others from changing it, or what belongs to it, until the end.
 * @throws not-found
 */
export async function lockApp(
  { dialect }: StoreContext,
  transaction: Transaction<Schema>,
  name: string,
): Promise<Selectable<Schema['apps']>> {
  return (await findAppLocked({ dialect }, transaction, name)) ?? missing('app', name)
}

/** The same for who has nothing to do where there is no such app. */
export async function findAppLocked(
  { dialect }: Pick<StoreContext, 'dialect'>,
  transaction: Transaction<Schema>,
  name: string,
): Promise<Selectable<Schema['apps']> | undefined> {
  return await transaction
    .selectFrom('apps')
    .selectAll()
    .where('name', '=', name)
    .$if(dialect.hasRowLocks, (query) => query.forUpdate())
    .executeTakeFirst()
}

const listOf = { app: 'rack apps', build: 'rack builds', release: 'rack releases', operation: null }

/** @throws not-found, always */
export function missing(noun: keyof typeof listOf, name: string): never {
  const command = listOf[noun]
  const hint = command ? `List them: ${command}` : undefined
  throw new RackError('not-found', `there is no ${noun} "${name}"`, {
    ...(hint && { hint }),
    details: { [noun]: name },
  })
}

/** Takes out the NUL bytes that a build's output may hold: Postgres has no text with them. */
export function clean(text: string): string {
  return text.replaceAll('\0', '\uFFFD')
}

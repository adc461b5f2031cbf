import type { Transaction } from 'kysely'
import { endsBetween, type Ends, type ProcessNews, type Sighting } from '../domain/process-news.ts'
import type { ProcessStore } from '../domain/stores/work-stores.ts'
import { findAppLocked, transact, type StoreContext } from './context.ts'
import { addEvent } from './events.ts'
import type { Schema } from './schema.ts'

type Facts = Omit<Sighting, 'id' | 'app'>

/** What was told of processes, and how often they have ended, as rows. */
export function createProcessStore(context: StoreContext): ProcessStore {
  return {
    async list() {
      const rows = await context.db.selectFrom('processes').selectAll().orderBy('process').execute()
      return rows.map(({ process: id, app, facts }) => ({ id, app, ...factsOf(facts) }))
    },
    tell: async (app, news) =>
      await transact(context, async (transaction) => {
        if (!(await findAppLocked(context, transaction, app))) return
        // All rows first: the events come last.
        const told: ProcessNews[] = []
        for (const one of news) if (await writeDown(transaction, one)) told.push(one)
        for (const one of told) await addProcessEvent(context, transaction, one)
      }),
    async ends() {
      const rows = context.db.selectFrom('process_ends').selectAll().orderBy('app').orderBy('type')
      return (await rows.execute()).map(({ out_of_memory: outOfMemory, ...row }) => ({ ...row, outOfMemory }))
    },
  }
}

/** An earlier version has counted no ends. */
function factsOf(facts: string): Facts {
  return { restarts: 0, outOfMemory: 0, ...(JSON.parse(facts) as Omit<Facts, keyof Ends> & Partial<Ends>) }
}

/** Whether there is anything to tell. */
async function writeDown(
  transaction: Transaction<Schema>,
  { change, process: seen }: ProcessNews,
): Promise<boolean> {
  const { id, app, ...facts } = seen
  if (change === 'removed') return await forgetProcess(transaction, id)
  const ending = transaction.selectFrom('endings').select('process').where('process', '=', id)
  if (await ending.executeTakeFirst()) return false
  await countEnds(transaction, seen)
  const row = { process: id, app, facts: JSON.stringify(facts satisfies Facts) }
  await transaction
    .insertInto('processes')
    .values(row)
    .onConflict((conflict) => conflict.column('process').doUpdateSet({ facts: row.facts }))
    .execute()
  return change !== 'counted'
}

/** Adds the ends of a process that are not in its row yet; the row is to be written, or removed, in the same transaction. */
export async function countEnds(transaction: Transaction<Schema>, seen: Sighting): Promise<void> {
  const { id, app, type } = seen
  const row = transaction.selectFrom('processes').select('facts').where('process', '=', id)
  const before = await row.executeTakeFirst()
  const { restarts, outOfMemory } = before ? factsOf(before.facts) : { restarts: 0, outOfMemory: 0 }
  const more = endsBetween({ restarts, outOfMemory: outOfMemory ?? 0 }, seen)
  if (more.restarts === 0 && more.outOfMemory === 0) return
  await transaction
    .insertInto('process_ends')
    .values({ app, type, restarts: more.restarts, out_of_memory: more.outOfMemory })
    .onConflict((conflict) =>
      conflict.columns(['app', 'type']).doUpdateSet((eb) => ({
        restarts: eb('process_ends.restarts', '+', more.restarts),
        out_of_memory: eb('process_ends.out_of_memory', '+', more.outOfMemory),
      })),
    )
    .execute()
}

/** Whether something was told of it that is so no more. */
export async function forgetProcess(transaction: Transaction<Schema>, id: string): Promise<boolean> {
  const removal = transaction.deleteFrom('processes').where('process', '=', id)
  return (await removal.executeTakeFirst()).numDeletedRows > 0n
}

export async function addProcessEvent(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { change, process: { id, app, type, kind, release, status, detail } }: ProcessNews,
): Promise<void> {
  if (change === 'counted') return
  const facts = { type, kind, release, status, ...(detail !== null && { detail }) }
  await addEvent(context, transaction, { noun: 'process', change, app, id, facts })
}

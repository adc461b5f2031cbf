import type { Transaction } from 'kysely'
import type { ProcessNews, Sighting } from '../domain/process-news.ts'
import type { ProcessStore } from '../domain/store.ts'
import { findAppLocked, transact, type StoreContext } from './context.ts'
import { addEvent } from './events.ts'
import type { Schema } from './schema.ts'

type Facts = Omit<Sighting, 'id' | 'app'>

/** What was told of processes, as rows. */
export function createProcessStore(context: StoreContext): ProcessStore {
  return {
    async list() {
      const rows = await context.db.selectFrom('processes').selectAll().orderBy('process').execute()
      return rows.map(({ process: id, app, facts }) => ({ id, app, ...(JSON.parse(facts) as Facts) }))
    },
    tell: async (app, news) =>
      await transact(context, async (transaction) => {
        if (!(await findAppLocked(context, transaction, app))) return
        // All rows first: the events come last.
        const told: ProcessNews[] = []
        for (const one of news) if (await writeDown(transaction, one)) told.push(one)
        for (const one of told) await addProcessEvent(context, transaction, one)
      }),
  }
}

/** Whether there is anything to tell. */
async function writeDown(
  transaction: Transaction<Schema>,
  { change, process: { id, app, ...facts } }: ProcessNews,
): Promise<boolean> {
  if (change === 'removed') return await forgetProcess(transaction, id)
  const ending = transaction.selectFrom('endings').select('process').where('process', '=', id)
  if (await ending.executeTakeFirst()) return false
  const row = { process: id, app, facts: JSON.stringify(facts satisfies Facts) }
  await transaction
    .insertInto('processes')
    .values(row)
    .onConflict((conflict) => conflict.column('process').doUpdateSet({ facts: row.facts }))
    .execute()
  return true
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
  const facts = { type, kind, release, status, ...(detail !== null && { detail }) }
  await addEvent(context, transaction, { noun: 'process', change, app, id, facts })
}

import type { Transaction } from 'kysely'
import type { AppProcess, ProcessKind } from '../domain/process.ts'
import type { EndingStore } from '../domain/stores/work-stores.ts'
import { sightingOf } from '../domain/process-news.ts'
import { findAppLocked, transact, type StoreContext } from './context.ts'
import { completeRun } from './operations.ts'
import { addProcessEvent, countEnds, forgetProcess } from './processes.ts'
import type { Schema } from './schema.ts'

/** The newest that are kept of an app, of each kind: a timer of every minute runs as often in a working day. */
const keptEndings = 500

type Facts = Omit<AppProcess, 'id' | 'app' | 'command'>

/** What became of processes that ran once, as rows. */
export function createEndingStore(context: StoreContext): EndingStore {
  const { db } = context
  const rows = db.selectFrom('endings').select(['process', 'app', 'facts'])
  return {
    // A command may hold what is secret: it is not written down.
    add: async (running, operation) =>
      await transact(context, async (transaction) => {
        const { id, app, command: _command, ...facts } = running
        if (!(await findAppLocked(context, transaction, app))) return
        const { numInsertedOrUpdatedRows: added } = await transaction
          .insertInto('endings')
          .values({ process: id, app, kind: running.kind, facts: JSON.stringify(facts satisfies Facts) })
          .onConflict((conflict) => conflict.column('process').doNothing())
          .executeTakeFirst()
        if (!added) return
        await forgetOldest(transaction, app, running.kind)
        const seen = sightingOf(running)
        await countEnds(transaction, seen)
        await forgetProcess(transaction, id)
        if (operation) await completeRun(context, transaction, operation, running)
        await addProcessEvent(context, transaction, { change: 'removed', process: seen })
      }),
    async get(app, processId) {
      const row = await rows.where('app', '=', app).where('process', '=', processId).executeTakeFirst()
      return row ? processOf(row) : null
    },
    async list(app) {
      return (await rows.where('app', '=', app).orderBy('seq').execute()).map(processOf)
    },
  }
}

async function forgetOldest(transaction: Transaction<Schema>, app: string, kind: ProcessKind): Promise<void> {
  const own = transaction.selectFrom('endings').select('seq').where('app', '=', app).where('kind', '=', kind)
  const tooOld = await own.orderBy('seq', 'desc').limit(1).offset(keptEndings).executeTakeFirst()
  if (!tooOld) return
  await transaction
    .deleteFrom('endings')
    .where('app', '=', app)
    .where('kind', '=', kind)
    .where('seq', '<=', tooOld.seq)
    .execute()
}

/** An earlier version has counted no ends for want of memory. */
const noEnds = { outOfMemory: 0 }

function processOf(row: { process: string; app: string; facts: string }): AppProcess {
  return { id: row.process, app: row.app, command: [], ...noEnds, ...(JSON.parse(row.facts) as Facts) }
}

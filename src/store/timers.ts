import type { Transaction } from 'kysely'
import type { OperationIntent } from '../domain/operation.ts'
import type { NewTimerRun, TimerStore } from '../domain/stores/work-stores.ts'
import type { LiveTimer, TimerRun } from '../domain/timer.ts'
import { clean, findAppLocked, transact, withNewId, type StoreContext } from './context.ts'
import { beginIn } from './operations.ts'
import type { Schema } from './schema.ts'
import { addRun, changeRun, skipWaiting, timerRunOf, type TimerRunRow } from './timer-runs.ts'

/** The timers of what is live, and their runs, as rows. */
export function createTimerStore(context: StoreContext): TimerStore {
  const { db } = context
  const runs = db.selectFrom('timer_runs').selectAll()
  return {
    list: async () =>
      await db.selectFrom('timers').selectAll().orderBy('app').orderBy('process').orderBy('name').execute(),
    fire: async (timer, run) =>
      await transact(context, async (transaction) => await fireIn(context, transaction, timer, run)),
    async moveSince({ app, process, name }, since) {
      const moving = db.updateTable('timers').set({ since }).where('app', '=', app)
      await moving.where('process', '=', process).where('name', '=', name).execute()
    },
    async open() {
      const found = await runs.where('status', 'in', ['waiting', 'running']).orderBy('seq').execute()
      return found.map(timerRunOf)
    },
    begin: async (run, intent) =>
      await withNewId(context, 'O', async (id) =>
        transact(context, async (transaction) => await beginRun(context, transaction, run, { id, intent })),
      ),
    async note(id, { processId, reason }) {
      const facts = {
        ...(processId !== undefined && { process_id: processId }),
        ...(reason !== undefined && { reason: clean(reason) }),
      }
      await db.updateTable('timer_runs').set(facts).where('seq', '=', id).execute()
    },
    async putBack(operation) {
      const waiting = { status: 'waiting' as const, operation: null, started: null }
      const putting = db.updateTable('timer_runs').set(waiting).where('operation', '=', operation)
      // One whose process was seen did start, wherever that is now.
      await putting.where('status', '=', 'running').where('process_id', 'is', null).execute()
    },
    drop: async (id, status, reason) =>
      await transact(context, async (transaction) => {
        const row = await waitingRun(context, transaction, id)
        const change = { status, reason: clean(reason), ended: context.now() }
        if (row) await changeRun(context, transaction, row, change)
      }),
    async history(app, { process, timer }, limit) {
      const found = await runs
        .where('app', '=', app)
        .$if(process !== undefined, (query) => query.where('process', '=', process!))
        .$if(timer !== undefined, (query) => query.where('timer', '=', timer!))
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute()
      return found.map(timerRunOf)
    },
  }
}

async function fireIn(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { app, process, name, since }: LiveTimer,
  { seenTo, waitingGo, ...run }: NewTimerRun,
): Promise<TimerRun | null> {
  if (!(await findAppLocked(context, transaction, app))) return null
  const moving = transaction
    .updateTable('timers')
    .set({ since: seenTo ?? since })
    .where('app', '=', app)
    .where('process', '=', process)
    .where('name', '=', name)
    .where('since', '=', since)
  if ((await moving.executeTakeFirst()).numUpdatedRows === 0n) return null
  const key = { app, process, timer: name }
  if (waitingGo !== null) await skipWaiting(context, transaction, key, waitingGo)
  const now = context.now()
  const ended = run.status === 'skipped' ? now : null
  const values = { ...key, ...run, operation: null, process_id: null, release: null }
  const row = await addRun(context, transaction, { ...values, started: null, ended, exit_code: null })
  return timerRunOf(row)
}

async function beginRun(
  context: StoreContext,
  transaction: Transaction<Schema>,
  run: TimerRun,
  { id, intent }: { id: string; intent: OperationIntent },
) {
  const row = await waitingRun(context, transaction, run.id)
  if (!row) return null
  const change = { status: 'running' as const, operation: id, started: context.now() }
  const { app, actor } = run
  const operation = await beginIn(context, transaction, { id, app, kind: 'run', actor, intent })
  await changeRun(context, transaction, row, { ...change, release: intent.release ?? null })
  return operation
}

/** A run that still waits, with its app kept from others. */
async function waitingRun(
  context: StoreContext,
  transaction: Transaction<Schema>,
  id: number,
): Promise<TimerRunRow | undefined> {
  const query = transaction.selectFrom('timer_runs').selectAll().where('seq', '=', id)
  const found = await query.executeTakeFirst()
  if (!found || !(await findAppLocked(context, transaction, found.app))) return undefined
  const row = await query.executeTakeFirst()
  return row?.status === 'waiting' ? row : undefined
}

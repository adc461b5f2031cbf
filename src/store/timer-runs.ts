import type { Insertable, Selectable, Transaction, Updateable } from 'kysely'
import type { RackEvent } from '../domain/event.ts'
import { timerName, type LiveTimer, type TimerRun } from '../domain/timer.ts'
import type { StoreContext } from './context.ts'
import { addEvent } from './events.ts'
import type { Schema } from './schema.ts'

/** The newest that are kept of a timer. */
const keptRuns = 100

export type TimerRunRow = Selectable<Schema['timer_runs']>

export function timerRunOf({
  seq,
  process_id: processId,
  exit_code: exitCode,
  ...row
}: TimerRunRow): TimerRun {
  return { id: seq, ...row, processId, exitCode }
}

/** Makes an app's timers those of what has become live; runs that wait for one that is no more are skipped. */
export async function setTimers(
  context: StoreContext,
  transaction: Transaction<Schema>,
  app: string,
  timers: LiveTimer[],
): Promise<void> {
  const kept = transaction.selectFrom('timers').selectAll().where('app', '=', app)
  const before = new Map((await kept.execute()).map((row) => [keyOf(row), row]))
  await transaction.deleteFrom('timers').where('app', '=', app).execute()
  for (const timer of timers) {
    const was = before.get(keyOf(timer))
    const isSame = was?.schedule === timer.schedule && was.timezone === timer.timezone
    await transaction
      .insertInto('timers')
      .values({ ...timer, since: isSame ? was.since : timer.since })
      .execute()
    before.delete(keyOf(timer))
  }
  for (const { process, name } of before.values()) {
    const reason = 'what is live has no such timer'
    await skipWaiting(context, transaction, { app, process, timer: name }, reason)
  }
}

const keyOf = ({ process, name }: Pick<LiveTimer, 'process' | 'name'>) => timerName({ process, timer: name })

/** Ends the run that a row of the journal is, if it is one of a timer. */
export async function endTimerRun(
  context: StoreContext,
  transaction: Transaction<Schema>,
  operation: string,
  change: Updateable<Schema['timer_runs']>,
): Promise<void> {
  const open = transaction.selectFrom('timer_runs').selectAll().where('operation', '=', operation)
  const row = await open.where('status', '=', 'running').executeTakeFirst()
  if (row) await changeRun(context, transaction, row, { ended: context.now(), ...change })
}

export async function skipWaiting(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { app, process, timer }: Pick<TimerRun, 'app' | 'process' | 'timer'>,
  reason: string,
): Promise<void> {
  const waiting = await transaction
    .selectFrom('timer_runs')
    .selectAll()
    .where('app', '=', app)
    .where('process', '=', process)
    .where('timer', '=', timer)
    .where('status', '=', 'waiting')
    .orderBy('seq')
    .execute()
  const change = { status: 'skipped' as const, reason, ended: context.now() }
  for (const row of waiting) await changeRun(context, transaction, row, change)
}

/** Adds a run and forgets the oldest of its timer. One that only waits is told of when something becomes of it. */
export async function addRun(
  context: StoreContext,
  transaction: Transaction<Schema>,
  values: Insertable<Schema['timer_runs']>,
): Promise<TimerRunRow> {
  const row = await transaction
    .insertInto('timer_runs')
    .values(values)
    .returningAll()
    .executeTakeFirstOrThrow()
  const runs = transaction
    .selectFrom('timer_runs')
    .select('seq')
    .where('app', '=', row.app)
    .where('process', '=', row.process)
    .where('timer', '=', row.timer)
  const tooOld = await runs.orderBy('seq', 'desc').limit(1).offset(keptRuns).executeTakeFirst()
  if (tooOld) {
    await transaction
      .deleteFrom('timer_runs')
      .where('seq', 'in', runs.where('seq', '<=', tooOld.seq))
      .where('status', 'not in', ['waiting', 'running'])
      .execute()
  }
  if (row.status !== 'waiting') await tell(context, transaction, row)
  return row
}

/** Changes a run, and tells of it when it is something else then. */
export async function changeRun(
  context: StoreContext,
  transaction: Transaction<Schema>,
  row: TimerRunRow,
  change: Updateable<Schema['timer_runs']>,
): Promise<void> {
  const updating = transaction.updateTable('timer_runs').set(change).where('seq', '=', row.seq)
  const changed = await updating.returningAll().executeTakeFirstOrThrow()
  if (changed.status !== row.status) await tell(context, transaction, changed)
}

async function tell(
  context: StoreContext,
  transaction: Transaction<Schema>,
  row: TimerRunRow,
): Promise<void> {
  const { app, seq, due, missed, status, reason, operation, exit_code: exitCode } = row
  const facts: RackEvent['facts'] = {
    run: String(seq),
    status,
    due,
    ...(missed > 0 && { missed: String(missed) }),
    ...(reason !== null && { reason }),
    ...(operation !== null && { operation }),
    ...(exitCode !== null && { exitCode: String(exitCode) }),
  }
  await addEvent(context, transaction, { noun: 'timer', change: 'changed', app, id: timerName(row), facts })
}

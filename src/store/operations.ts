import type { Selectable, Transaction, Updateable } from 'kysely'
import type { AppStatus } from '../domain/app.ts'
import { RackError } from '../domain/error.ts'
import {
  busyError,
  exclusiveKinds,
  yieldingKinds,
  type Operation,
  type OperationIntent,
  type OperationKind,
} from '../domain/operation.ts'
import type { AppProcess } from '../domain/process.ts'
import type { Receipt } from '../domain/deployment.ts'
import type { OperationResult, OperationStore } from '../domain/stores/work-stores.ts'
import { addAppEvent } from './apps.ts'
import { clean, lockApp, missing, transact, withNewId, type StoreContext } from './context.ts'
import { addEvent } from './events.ts'
import { setFormation } from './formations.ts'
import { setNoticedPorts } from './noticed-ports.ts'
import type { Schema } from './schema.ts'
import { endTimerRun, setTimers } from './timer-runs.ts'

type Row = Selectable<Schema['operations']>

/** The journal as rows. */
export function createOperationStore(context: StoreContext): OperationStore {
  const { db } = context
  const rows = db.selectFrom('operations').selectAll()
  return {
    begin: async (app, kind, actor, intent) =>
      await withNewId(context, 'O', async (id) =>
        transact(context, async (transaction) =>
          beginIn(context, transaction, { id, app, kind, actor, intent }),
        ),
      ),
    async get(id) {
      const row = await rows.where('id', '=', id).executeTakeFirst()
      return row ? operationOf(row) : null
    },
    async running() {
      return (await rows.where('status', '=', 'running').orderBy('seq').execute()).map(operationOf)
    },
    async list(app, limit) {
      const found = await rows.where('app', '=', app).orderBy('seq', 'desc').limit(limit).execute()
      return found.map(operationOf)
    },
    complete: async (id, result) =>
      await transact(context, async (transaction) => {
        const row = await lockRunning(context, transaction, { id, as: ['complete'] })
        if (!row) return
        await applyResult(context, transaction, row, result)
        const receipt = result.receipt ? JSON.stringify(result.receipt) : null
        const makesRunning = changesStatus(row.kind) && row.kind !== 'delete'
        const appStatus = makesRunning ? 'running' : undefined
        await close(context, transaction, { row, appStatus, change: { status: 'complete', receipt } })
      }),
    note: async (id, facts) =>
      await db.transaction().execute(async (transaction) => noteIn(context, transaction, { id, facts })),
    completeReceipt: async (id, facts) =>
      await db.transaction().execute(async (transaction) => layOverReceipt(context, transaction, id, facts)),
    fail: async (id, status, error, appStatus) =>
      await transact(context, async (transaction) => {
        const row = await lockRunning(context, transaction, { id, as: ['failed', 'cancelled'] })
        if (!row) return
        const next = appStatus ?? (changesStatus(row.kind) ? row.app_status_before : undefined)
        const change = { status, error: clean(JSON.stringify(error)) }
        const reason = clean(error.message)
        if (row.kind === 'run') await endTimerRun(context, transaction, id, { status: 'failed', reason })
        await close(context, transaction, { row, appStatus: next, change })
      }),
  }
}

function changesStatus(kind: OperationKind): boolean {
  return exclusiveKinds.has(kind) && !yieldingKinds.has(kind)
}

/** Closes a run with what became of its process; one that is closed, or gone with its app, stays as it is. */
export async function completeRun(
  context: StoreContext,
  transaction: Transaction<Schema>,
  id: string,
  { id: processId, exitCode }: Pick<AppProcess, 'id' | 'exitCode'>,
): Promise<void> {
  const open = transaction.selectFrom('operations').selectAll().where('id', '=', id).where('kind', '=', 'run')
  const row = await open.where('status', '=', 'running').executeTakeFirst()
  if (!row) return
  const facts: OperationIntent = exitCode === null ? {} : { exitCode }
  const intent = JSON.stringify({ ...(JSON.parse(row.intent) as OperationIntent), ...facts })
  await transaction.updateTable('operations').set({ intent }).where('id', '=', id).execute()
  await endTimerRun(context, transaction, id, {
    status: 'complete',
    process_id: processId,
    exit_code: exitCode,
  })
  await close(context, transaction, { row, appStatus: undefined, change: { status: 'complete' } })
}

/** What a row begins with. */
export interface Beginning {
  id: string
  app: string
  kind: OperationKind
  actor: string
  intent: OperationIntent
}

export async function beginIn(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { id, app: name, kind, actor, intent }: Beginning,
): Promise<Operation> {
  const app = await lockApp(context, transaction, name)
  const isExclusive = exclusiveKinds.has(kind)
  if (isExclusive) await refuseSecond(transaction, name)
  const row = {
    id,
    app: name,
    kind,
    is_exclusive: isExclusive ? 1 : 0,
    actor: clean(actor),
    status: 'running' as const,
    intent: JSON.stringify(intent),
    app_status_before: app.status,
    started: context.now(),
    ended: null,
    error: null,
    receipt: null,
  }
  await transaction.insertInto('operations').values(row).execute()
  if (changesStatus(kind)) {
    const status = kind === 'delete' ? 'deleting' : 'updating'
    if (kind !== 'import') await setAppStatus(context, transaction, name, status)
  }
  await addOperationEvent(context, transaction, row)
  return operationOf({ ...row, seq: 0 })
}

async function noteIn(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { id, facts }: { id: string; facts: Partial<OperationIntent> },
): Promise<void> {
  const row = await lockRunning(context, transaction, { id, as: [] })
  const intent = JSON.stringify({ ...(JSON.parse(row!.intent) as OperationIntent), ...facts })
  await transaction.updateTable('operations').set({ intent }).where('id', '=', id).execute()
}

async function layOverReceipt(
  context: StoreContext,
  transaction: Transaction<Schema>,
  id: string,
  facts: Partial<Receipt>,
): Promise<void> {
  const query = transaction.selectFrom('operations').select(['app', 'receipt']).where('id', '=', id)
  const found = (await query.executeTakeFirst()) ?? missing('operation', id)
  await lockApp(context, transaction, found.app)
  const { receipt } = (await query.executeTakeFirst()) ?? missing('operation', id)
  const before = receipt === null ? {} : (JSON.parse(receipt) as Receipt)
  const change = { receipt: JSON.stringify({ ...before, ...facts }) }
  await transaction.updateTable('operations').set(change).where('id', '=', id).execute()
}

async function refuseSecond(transaction: Transaction<Schema>, app: string): Promise<void> {
  const row = await transaction
    .selectFrom('operations')
    .selectAll()
    .where('app', '=', app)
    .where('is_exclusive', '=', 1)
    .where('status', '=', 'running')
    .executeTakeFirst()
  if (row) throw busyError(operationOf(row))
}

/**
 * Reads an operation that is about to be closed, and keeps others from closing it.
 * @returns null when it is closed that way already, so that a repeat changes nothing
 * @throws not-found; conflict when it is closed in another way
 */
async function lockRunning(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { id, as }: { id: string; as: Operation['status'][] },
): Promise<Row | null> {
  const query = transaction.selectFrom('operations').selectAll().where('id', '=', id)
  const found = (await query.executeTakeFirst()) ?? missing('operation', id)
  await lockApp(context, transaction, found.app)
  const row = (await query.executeTakeFirst()) ?? missing('operation', id)
  if (row.status === 'running') return row
  if (as.includes(row.status)) return null
  throw new RackError('conflict', `operation ${id} is ${row.status} already`, { details: operationOf(row) })
}

async function applyResult(
  context: StoreContext,
  transaction: Transaction<Schema>,
  row: Row,
  result: OperationResult,
): Promise<void> {
  if (result.liveRelease !== undefined) {
    await setLive(context, transaction, { app: row.app, release: result.liveRelease })
  }
  if (result.formation) await setFormation(transaction, row.app, result.formation)
  if (result.noticed) await setNoticedPorts(transaction, row.app, result.noticed)
  if (result.timers) await setTimers(context, transaction, row.app, result.timers)
}

async function setLive(
  { now }: StoreContext,
  transaction: Transaction<Schema>,
  { app, release }: { app: string; release: string },
): Promise<void> {
  const known = transaction.selectFrom('releases').select('id').where('app', '=', app)
  if (!(await known.where('id', '=', release).executeTakeFirst())) missing('release', release)
  const { numUpdatedRows } = await transaction
    .updateTable('apps')
    .set({ release })
    .where('name', '=', app)
    .where((row) => row.or([row('release', 'is', null), row('release', '<>', release)]))
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) return
  await transaction.insertInto('lives').values({ app, release, since: now() }).execute()
}

interface Closing {
  row: Row
  /** What the app is now; undefined leaves it as it is. */
  appStatus: AppStatus | undefined
  change: Updateable<Schema['operations']> & { status: Operation['status'] }
}

async function close(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { row, appStatus, change }: Closing,
): Promise<void> {
  await transaction
    .updateTable('operations')
    .set({ ...change, ended: context.now() })
    .where('id', '=', row.id)
    .execute()
  await cutJournal(context, transaction, row)
  if (appStatus) await setAppStatus(context, transaction, row.app, appStatus)
  await addOperationEvent(context, transaction, { ...row, status: change.status })
}

async function setAppStatus(
  context: StoreContext,
  transaction: Transaction<Schema>,
  app: string,
  status: AppStatus,
): Promise<void> {
  await transaction.updateTable('apps').set({ status }).where('name', '=', app).execute()
  await addAppEvent(context, transaction, { app, change: 'changed', status })
}

async function addOperationEvent(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { id, app, kind, status }: Pick<Row, 'id' | 'app' | 'kind' | 'status'>,
): Promise<void> {
  const change = status === 'running' ? 'created' : 'changed'
  await addEvent(context, transaction, { noun: 'operation', change, app, id, facts: { kind, status } })
}

/**
 * Nothing but what runs is looked for in the journal by programs; people want what was lately. Runs are counted apart: a
 * timer of every minute would push all else out.
 */
async function cutJournal(
  { keptOperations }: StoreContext,
  transaction: Transaction<Schema>,
  { app, kind }: Pick<Row, 'app' | 'kind'>,
): Promise<void> {
  const like = kind === 'run' ? '=' : '<>'
  const rows = transaction.selectFrom('operations').where('app', '=', app).where('kind', like, 'run')
  const oldest = await rows
    .select('seq')
    .orderBy('seq', 'desc')
    .offset(keptOperations - 1)
    .limit(1)
    .executeTakeFirst()
  if (!oldest) return
  await transaction
    .deleteFrom('operations')
    .where('app', '=', app)
    .where('kind', like, 'run')
    .where('seq', '<', oldest.seq)
    .where('status', '<>', 'running')
    .execute()
}

function operationOf(row: Row): Operation {
  const { id, app, kind, actor, status, started, ended } = row
  return {
    id,
    app,
    kind,
    actor,
    status,
    intent: JSON.parse(row.intent) as OperationIntent,
    started,
    ended,
    error: row.error === null ? null : (JSON.parse(row.error) as Operation['error']),
    receipt: row.receipt === null ? null : (JSON.parse(row.receipt) as Operation['receipt']),
  }
}

import type { Selectable, Transaction, Updateable } from 'kysely'
import { RackError } from '../domain/error.ts'
import {
  busyError,
  exclusiveKinds,
  type Operation,
  type OperationIntent,
  type OperationKind,
} from '../domain/operation.ts'
import type { OperationResult, OperationStore } from '../domain/store.ts'
import { clean, lockApp, missing, withNewId, type StoreContext } from './context.ts'
import { setFormation } from './formations.ts'
import type { Schema } from './schema.ts'

type Row = Selectable<Schema['operations']>

/** The journal as rows. */
export function createOperationStore(context: StoreContext): OperationStore {
  const { db } = context
  const rows = db.selectFrom('operations').selectAll()
  return {
    begin: async (app, kind, actor, intent) =>
      await withNewId(context, 'O', async (id) =>
        db
          .transaction()
          .execute(async (transaction) => beginIn(context, transaction, { id, app, kind, actor, intent })),
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
      await db.transaction().execute(async (transaction) => {
        const row = await lockRunning(context, transaction, { id, as: ['complete'] })
        if (!row) return
        await applyResult(transaction, row, result)
        const receipt = result.receipt ? JSON.stringify(result.receipt) : null
        await close(context, transaction, { id, change: { status: 'complete', receipt } })
      }),
    fail: async (id, status, error, appStatus) =>
      await db.transaction().execute(async (transaction) => {
        const row = await lockRunning(context, transaction, { id, as: ['failed', 'cancelled'] })
        if (!row) return
        const next = appStatus ?? (row.is_exclusive === 1 ? row.app_status_before : undefined)
        if (next)
          await transaction.updateTable('apps').set({ status: next }).where('name', '=', row.app).execute()
        await close(context, transaction, { id, change: { status, error: clean(JSON.stringify(error)) } })
      }),
  }
}

interface Beginning {
  id: string
  app: string
  kind: OperationKind
  actor: string
  intent: OperationIntent
}

async function beginIn(
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
  if (isExclusive) {
    const status = kind === 'delete' ? 'deleting' : 'updating'
    await transaction.updateTable('apps').set({ status }).where('name', '=', name).execute()
  }
  return operationOf({ ...row, seq: 0 })
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
  transaction: Transaction<Schema>,
  row: Row,
  result: OperationResult,
): Promise<void> {
  if (result.liveRelease !== undefined) {
    const release = transaction.selectFrom('releases').select('id').where('app', '=', row.app)
    const found = await release.where('id', '=', result.liveRelease).executeTakeFirst()
    if (!found) missing('release', result.liveRelease)
    await transaction.updateTable('apps').set({ release: found.id }).where('name', '=', row.app).execute()
  }
  if (result.formation) await setFormation(transaction, row.app, result.formation)
  if (row.is_exclusive === 1 && row.kind !== 'delete') {
    await transaction.updateTable('apps').set({ status: 'running' }).where('name', '=', row.app).execute()
  }
}

async function close(
  { now }: StoreContext,
  transaction: Transaction<Schema>,
  { id, change }: { id: string; change: Updateable<Schema['operations']> },
): Promise<void> {
  await transaction
    .updateTable('operations')
    .set({ ...change, ended: now() })
    .where('id', '=', id)
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

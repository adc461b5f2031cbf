import type { Selectable, Transaction } from 'kysely'
import { contentOfToday, type Build, type BuildContent, type KeptContent } from '../domain/build.ts'
import { RackError } from '../domain/error.ts'
import type { OperationIntent } from '../domain/operation.ts'
import type { BuildStore } from '../domain/stores/app-stores.ts'
import { clean, lockApp, missing, withNewId, type StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

const columns = [
  'id',
  'app',
  'status',
  'description',
  'release',
  'reason',
  'created',
  'started',
  'ended',
] as const satisfies (keyof Build)[]

/** Builds as rows, their contents sealed. */
export function createBuildStore(context: StoreContext): BuildStore {
  const { db, now } = context
  const rows = db.selectFrom('builds').select(columns)
  return {
    create: async (app, description) => await createBuild(context, app, description),
    async get(app, id) {
      return (await rows.where('app', '=', app).where('id', '=', id).executeTakeFirst()) ?? null
    },
    list: async (app, limit) =>
      await rows.where('app', '=', app).orderBy('seq', 'desc').limit(limit).execute(),
    inStatus: async (status) =>
      status.length === 0
        ? []
        : await rows
            .where('status', 'in', [...status])
            .orderBy('seq')
            .execute(),
    known: async (ids) => await findKnown(db, ids),
    async start(id) {
      await changeUnfinished(context, id, async (transaction, build) => {
        if (build.status === 'running') return
        await transaction
          .updateTable('builds')
          .set({ status: 'running', started: now() })
          .where('id', '=', id)
          .execute()
      })
    },
    async fail(id, reason) {
      const { numUpdatedRows } = await db
        .updateTable('builds')
        .set({ status: 'failed', reason: clean(reason), ended: now() })
        .where('id', '=', id)
        .where('status', 'in', ['created', 'running'])
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) await explainUnfailed(context, id)
    },
    content: async (id) => await readContent(context, id),
    remove: async (app, id) =>
      await db.transaction().execute(async (transaction) => {
        const { release } = await lockApp(context, transaction, app)
        await refuseUsed(transaction, { app, id, liveRelease: release })
        await transaction.deleteFrom('builds').where('app', '=', app).where('id', '=', id).execute()
      }),
  }
}

/** The place of a build's content, for its seal. */
export function contentPlace(app: string, build: string): string[] {
  return ['build', app, build]
}

/**
 * Reads a build that may still change, and keeps others from changing it.
 * @throws not-found; conflict when it is complete or failed
 */
export async function unfinishedBuild(
  context: StoreContext,
  transaction: Transaction<Schema>,
  id: string,
): Promise<Pick<Selectable<Schema['builds']>, 'app' | 'status'>> {
  const query = transaction.selectFrom('builds').select(['app', 'status']).where('id', '=', id)
  const found = (await query.executeTakeFirst()) ?? missing('build', id)
  // The app first and the build after it, as everywhere: of two that lock in different orders one would fail.
  await lockApp(context, transaction, found.app)
  const build = (await query.executeTakeFirst()) ?? missing('build', id)
  if (build.status === 'complete' || build.status === 'failed') throw finished(id, build.status)
  return build
}

/** A statement takes a bounded number of values. */
const mostIds = 500

async function findKnown(db: StoreContext['db'], ids: string[]): Promise<Set<string>> {
  const known = new Set<string>()
  for (let at = 0; at < ids.length; at += mostIds) {
    const some = ids.slice(at, at + mostIds)
    const rows = await db.selectFrom('builds').select('id').where('id', 'in', some).execute()
    for (const { id } of rows) known.add(id)
  }
  return known
}

async function createBuild(context: StoreContext, app: string, description: string | null): Promise<Build> {
  return await withNewId(context, 'B', async (id) =>
    context.db.transaction().execute(async (transaction) => {
      await lockApp(context, transaction, app)
      const build: Build = {
        id,
        app,
        status: 'created',
        description: description === null ? null : clean(description),
        release: null,
        reason: null,
        created: context.now(),
        started: null,
        ended: null,
      }
      await transaction.insertInto('builds').values(build).execute()
      return build
    }),
  )
}

async function readContent({ db, cipher }: StoreContext, id: string): Promise<BuildContent> {
  const query = db.selectFrom('builds').select(['app', 'content']).where('id', '=', id)
  const row = await query.executeTakeFirst()
  if (!row?.content) return missing('build', id)
  return contentOfToday(JSON.parse(cipher.open(row.content, contentPlace(row.app, id))) as KeptContent)
}

async function changeUnfinished(
  context: StoreContext,
  id: string,
  change: (transaction: Transaction<Schema>, build: { status: Build['status'] }) => Promise<void>,
): Promise<void> {
  await context.db.transaction().execute(async (transaction) => {
    await change(transaction, await unfinishedBuild(context, transaction, id))
  })
}

/** Failing again changes nothing: the first reason stands. */
async function explainUnfailed({ db }: StoreContext, id: string): Promise<void> {
  const build = await db.selectFrom('builds').select('status').where('id', '=', id).executeTakeFirst()
  if (!build) missing('build', id)
  if (build.status !== 'failed') throw finished(id, build.status)
}

async function refuseUsed(
  transaction: Transaction<Schema>,
  { app, id, liveRelease }: { app: string; id: string; liveRelease: string | null },
): Promise<void> {
  const running = await transaction
    .selectFrom('operations')
    .select('intent')
    .where('app', '=', app)
    .where('status', '=', 'running')
    .execute()
  const intents = running.map((row) => JSON.parse(row.intent) as OperationIntent)
  const isBuilding = intents.some((intent) => intent.build === id)
  if (isBuilding) throw inUse(id, 'is still being made', `Cancel it first: rack builds cancel ${id}`)
  const needed = [liveRelease, ...intents.flatMap((intent) => [intent.release, intent.previousRelease])]
  const names = needed.filter((name) => name !== null && name !== undefined)
  if (names.length === 0) return
  const used = transaction
    .selectFrom('releases')
    .select('id')
    .where('build', '=', id)
    .where('id', 'in', names)
  const user = await used.executeTakeFirst()
  if (user) throw inUse(id, `is what release ${user.id} runs`, 'Promote a release of another build first.')
}

function finished(id: string, status: Build['status']): RackError {
  return new RackError('conflict', `build ${id} is ${status} already`, { details: { build: id, status } })
}

function inUse(id: string, why: string, hint: string): RackError {
  return new RackError('conflict', `build ${id} ${why}`, { hint, details: { build: id } })
}

import type { Transaction } from 'kysely'
import type { HistoryRow } from '../domain/app-archive.ts'
import type { LinkOptions } from '../domain/service-link.ts'
import type { ImportStore } from '../domain/stores/app-stores.ts'
import { addAppEvent, appTaken } from './apps.ts'
import { contentPlace } from './builds.ts'
import { clean, lockApp, transact, withNewId, type StoreContext } from './context.ts'
import { beginIn } from './operations.ts'
import { environmentPlace } from './releases.ts'
import type { Schema } from './schema.ts'

/** A statement takes a bounded number of values. */
const mostIds = 500

/** What comes from another rack, as rows. */
export function createImportStore(context: StoreContext): ImportStore {
  const { db } = context
  return {
    begin: async (app, actor, intent) =>
      await withNewId(context, 'O', async (id) =>
        transact(context, async (transaction) => {
          const values = {
            name: app,
            status: 'creating',
            release: null,
            locked: 0,
            created: context.now(),
          } as const
          const { numInsertedOrUpdatedRows } = await transaction
            .insertInto('apps')
            .values(values)
            .onConflict((conflict) => conflict.column('name').doNothing())
            .executeTakeFirstOrThrow()
          if (numInsertedOrUpdatedRows === 0n) throw appTaken(app)
          await addAppEvent(context, transaction, { app, change: 'created', status: 'creating' })
          return await beginIn(context, transaction, { id, app, kind: 'import', actor, intent })
        }),
      ),
    known: async (ids) => await findKnown(db, ids),
    add: async (app, rows) =>
      await db.transaction().execute(async (transaction) => {
        await lockApp(context, transaction, app)
        for (const row of rows) {
          if ('build' in row) await addBuild(context, transaction, { app, ...row })
          else await addRelease(context, transaction, { app, ...row })
        }
      }),
    async addLives(app, lives) {
      if (lives.length === 0) return
      await db.transaction().execute(async (transaction) => {
        for (const { release, since } of lives)
          await transaction.insertInto('lives').values({ app, release, since }).execute()
      })
    },
  }
}

async function findKnown(db: StoreContext['db'], ids: string[]): Promise<Set<string>> {
  const known = new Set<string>()
  for (let at = 0; at < ids.length; at += mostIds) {
    const some = ids.slice(at, at + mostIds)
    const builds = await db.selectFrom('builds').select('id').where('id', 'in', some).execute()
    const releases = await db.selectFrom('releases').select('id').where('id', 'in', some).execute()
    for (const { id } of [...builds, ...releases]) known.add(id)
  }
  return known
}

type Of<Row> = Row & { app: string }

async function addBuild(
  { cipher }: StoreContext,
  transaction: Transaction<Schema>,
  { app, build, content }: Of<Extract<HistoryRow, { content: unknown }>>,
): Promise<void> {
  const { id, status, description, release, reason, created, started, ended } = build
  const sealed = cipher.seal(JSON.stringify(content), contentPlace(app, id))
  await transaction
    .insertInto('builds')
    .values({ id, app, status, description, release, reason, created, started, ended, content: sealed })
    .execute()
}

async function addRelease(
  { cipher }: StoreContext,
  transaction: Transaction<Schema>,
  { app, release, environment }: Of<Extract<HistoryRow, { environment: unknown }>>,
): Promise<void> {
  const { id, build, description, basedOn, created, links } = release
  const sealed = cipher.seal(JSON.stringify(environment), environmentPlace(app, id))
  const row = { id, app, build, description: clean(description), based_on: basedOn, created }
  await transaction
    .insertInto('releases')
    .values({ ...row, environment: sealed })
    .execute()
  for (const { alias, service, version, ...options } of links) {
    const said = Object.keys(options).length > 0 ? JSON.stringify(options satisfies LinkOptions) : null
    await transaction
      .insertInto('release_links')
      .values({ release: id, alias, service, version, options: said })
      .execute()
  }
}

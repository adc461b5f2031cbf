import type { Insertable, Kysely, Selectable, Transaction } from 'kysely'
import type { BuildContent } from '../domain/build.ts'
import type { Environment } from '../domain/environment.ts'
import type { Release, ReleaseDraft, ReleaseHistory } from '../domain/release.ts'
import type { ReleaseStore } from '../domain/store.ts'
import { contentPlace, unfinishedBuild } from './builds.ts'
import { clean, lockApp, missing, withNewId, type StoreContext } from './context.ts'
import type { Cipher } from './encryption.ts'
import type { Schema } from './schema.ts'

type Derive = (history: ReleaseHistory) => ReleaseDraft
type Row = Omit<Selectable<Schema['releases']>, 'seq' | 'environment'>

const columns = ['id', 'app', 'build', 'description', 'based_on', 'created'] as const

/** Releases as rows that are never changed, their environments sealed. */
export function createReleaseStore(context: StoreContext): ReleaseStore {
  const { db, cipher } = context
  const rowsOf = (app: string) => db.selectFrom('releases').select(columns).where('app', '=', app)
  const newestOf = (app: string, limit: number) => rowsOf(app).orderBy('seq', 'desc').limit(limit)
  return {
    append: async (app, derive) =>
      await withNewId(context, 'R', async (id) =>
        db
          .transaction()
          .execute(async (transaction) => appendRelease(context, transaction, { id, app, derive })),
      ),
    appendOfBuild: async (build, content, derive) =>
      await withNewId(context, 'R', async (id) =>
        db.transaction().execute(async (transaction) => {
          const { app } = await unfinishedBuild(context, transaction, build)
          const release = await appendRelease(context, transaction, { id, app, derive })
          await completeBuild(context, transaction, { build, content, release })
          return release
        }),
      ),
    async get(app, id) {
      const row = await rowsOf(app).where('id', '=', id).executeTakeFirst()
      return row ? releaseOf(row) : null
    },
    async environment(app, id) {
      return (await readWhole(db, cipher, { app, id }))?.environment ?? missing('release', id)
    },
    async list(app, limit) {
      return (await newestOf(app, limit).execute()).map(releaseOf)
    },
    async newest(app) {
      const row = await newestOf(app, 1).executeTakeFirst()
      return row ? releaseOf(row) : null
    },
  }
}

async function appendRelease(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { id, app, derive }: { id: string; app: string; derive: Derive },
): Promise<Release> {
  const { release: liveId } = await lockApp(context, transaction, app)
  const newest = await transaction
    .selectFrom('releases')
    .select('id')
    .where('app', '=', app)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  const draft = derive({
    newest: newest ? await readWhole(transaction, context.cipher, { app, id: newest.id }) : null,
    live: liveId ? await readWhole(transaction, context.cipher, { app, id: liveId }) : null,
  })
  if (draft.build !== null) await checkBuild(transaction, app, draft.build)
  const row: Insertable<Schema['releases']> & Row = {
    id,
    app,
    build: draft.build,
    description: clean(draft.description),
    based_on: draft.basedOn,
    environment: context.cipher.seal(JSON.stringify(draft.environment), environmentPlace(app, id)),
    created: context.now(),
  }
  await transaction.insertInto('releases').values(row).execute()
  return releaseOf(row)
}

async function checkBuild(transaction: Transaction<Schema>, app: string, id: string): Promise<void> {
  const build = transaction.selectFrom('builds').select('id').where('app', '=', app).where('id', '=', id)
  if (!(await build.executeTakeFirst())) missing('build', id)
}

async function completeBuild(
  { cipher, now }: StoreContext,
  transaction: Transaction<Schema>,
  { build, content, release }: { build: string; content: BuildContent; release: Release },
): Promise<void> {
  await transaction
    .updateTable('builds')
    .set({
      status: 'complete',
      release: release.id,
      content: cipher.seal(JSON.stringify(content), contentPlace(release.app, build)),
      ended: now(),
    })
    .where('id', '=', build)
    .execute()
}

async function readWhole(
  db: Kysely<Schema>,
  cipher: Cipher,
  { app, id }: { app: string; id: string },
): Promise<{ release: Release; environment: Environment } | null> {
  const query = db.selectFrom('releases').select([...columns, 'environment'])
  const row = await query.where('app', '=', app).where('id', '=', id).executeTakeFirst()
  if (!row) return null
  const text = cipher.open(row.environment, environmentPlace(app, id))
  return { release: releaseOf(row), environment: JSON.parse(text) as Environment }
}

function environmentPlace(app: string, release: string): string[] {
  return ['release', app, release]
}

function releaseOf({ id, app, build, description, created, based_on: basedOn }: Row): Release {
  return { id, app, build, description, created, basedOn }
}

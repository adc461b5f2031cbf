import type { Insertable, Kysely, Selectable, Transaction } from 'kysely'
import type { BuildContent } from '../domain/build.ts'
import type { Environment } from '../domain/environment.ts'
import type { RackEvent } from '../domain/event.ts'
import type { Release, ReleaseDraft, ReleaseHistory } from '../domain/release.ts'
import type { ReleaseLink } from '../domain/service-link.ts'
import type { ReleaseStore } from '../domain/stores/app-stores.ts'
import { contentPlace, unfinishedBuild } from './builds.ts'
import { clean, lockApp, missing, transact, withNewId, type StoreContext } from './context.ts'
import type { Cipher } from './encryption.ts'
import { addEvent } from './events.ts'
import { addLinks, currentVersions, readLinks } from './release-links.ts'
import type { Schema } from './schema.ts'

type Derive = (history: ReleaseHistory) => ReleaseDraft
type Columns = Omit<Selectable<Schema['releases']>, 'seq' | 'environment'>

const columns = ['id', 'app', 'build', 'description', 'based_on', 'created'] as const

/** Releases as rows that are never changed, their environments sealed. */
export function createReleaseStore(context: StoreContext): ReleaseStore {
  const { db, cipher } = context
  const rowsOf = (app: string) => db.selectFrom('releases').select(columns).where('app', '=', app)
  const newestOf = (app: string, limit: number) => rowsOf(app).orderBy('seq', 'desc').limit(limit)
  return {
    append: async (app, derive) =>
      await withNewId(context, 'R', async (id) =>
        transact(context, async (transaction) => appendOne(context, transaction, { id, app, derive })),
      ),
    appendOfBuild: async (build, content, derive) =>
      await withNewId(context, 'R', async (id) =>
        transact(context, async (transaction) => {
          const { app } = await unfinishedBuild(context, transaction, build)
          const release = await appendRelease(context, transaction, { id, app, derive })
          await completeBuild(context, transaction, { build, content, release })
          await addReleaseEvent(context, transaction, release)
          return release
        }),
      ),
    async get(app, id) {
      const [release] = await withLinks(db, await rowsOf(app).where('id', '=', id).execute())
      return release ?? null
    },
    async environment(app, id) {
      return (await readWhole(db, cipher, { app, id }))?.environment ?? missing('release', id)
    },
    async list(app, limit) {
      return await withLinks(db, await newestOf(app, limit).execute())
    },
    async newest(app) {
      const [release] = await withLinks(db, await newestOf(app, 1).execute())
      return release ?? null
    },
    liveBefore: async (app, id) => await findLiveBefore(db, app, id),
    async lives(app) {
      return await db
        .selectFrom('lives')
        .select(['release', 'since'])
        .where('app', '=', app)
        .orderBy('seq')
        .execute()
    },
    wasBuildLive: async (app, build) => await wasBuildLive(db, app, build),
  }
}

async function wasBuildLive(db: Kysely<Schema>, app: string, build: string): Promise<boolean> {
  const lives = db
    .selectFrom('lives')
    .innerJoin('releases', 'releases.id', 'lives.release')
    .innerJoin('apps', 'apps.name', 'lives.app')
  // What it was on another rack is of another rack's databases.
  const here = lives.whereRef('lives.since', '>=', 'apps.created')
  const ofBuild = here.where('lives.app', '=', app).where('releases.build', '=', build)
  return (await ofBuild.select('lives.seq').limit(1).executeTakeFirst()) !== undefined
}

async function findLiveBefore(db: Kysely<Schema>, app: string, id: string): Promise<string | null> {
  const lives = db.selectFrom('lives').where('app', '=', app).orderBy('seq', 'desc').limit(1)
  const became = await lives.select('seq').where('release', '=', id).executeTakeFirst()
  if (!became) return null
  const before = await lives.select('release').where('seq', '<', became.seq).executeTakeFirst()
  return before?.release ?? null
}

interface Appending {
  id: string
  app: string
  derive: Derive
}

/** Appends a release and tells of it. */
export async function appendOne(
  context: StoreContext,
  transaction: Transaction<Schema>,
  appending: Appending,
): Promise<Release> {
  const release = await appendRelease(context, transaction, appending)
  await addReleaseEvent(context, transaction, release)
  return release
}

async function appendRelease(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { id, app, derive }: Appending,
): Promise<Release> {
  const { release: liveId } = await lockApp(context, transaction, app)
  const newest = await transaction
    .selectFrom('releases')
    .select('id')
    .where('app', '=', app)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  const history: ReleaseHistory = {
    newest: newest ? await readWhole(transaction, context.cipher, { app, id: newest.id }) : null,
    live: liveId ? await readWhole(transaction, context.cipher, { app, id: liveId }) : null,
    services: await currentVersions(transaction),
  }
  const draft = derive(history)
  if (draft.build !== null) await checkBuild(transaction, app, draft.build)
  const row: Insertable<Schema['releases']> & Columns = {
    id,
    app,
    build: draft.build,
    description: clean(draft.description),
    based_on: draft.basedOn,
    environment: context.cipher.seal(JSON.stringify(draft.environment), environmentPlace(app, id)),
    created: context.now(),
  }
  await transaction.insertInto('releases').values(row).execute()
  const taken = history.newest?.release.links ?? []
  await addLinks(context, transaction, { release: id, links: draft.links, taken })
  return releaseOf(row, draft.links)
}

async function addReleaseEvent(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { app, id, build }: Release,
): Promise<void> {
  const facts: RackEvent['facts'] = build === null ? {} : { build }
  await addEvent(context, transaction, { noun: 'release', change: 'created', app, id, facts })
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
  const links = (await readLinks(db, [id])).get(id) ?? []
  return { release: releaseOf(row, links), environment: JSON.parse(text) as Environment }
}

/** The place of a release's environment, for its seal. */
export function environmentPlace(app: string, release: string): string[] {
  return ['release', app, release]
}

async function withLinks(db: Kysely<Schema>, rows: Columns[]): Promise<Release[]> {
  const ids = rows.map(({ id }) => id)
  const links = await readLinks(db, ids)
  return rows.map((row) => releaseOf(row, links.get(row.id) ?? []))
}

function releaseOf(row: Columns, links: ReleaseLink[]): Release {
  const { id, app, build, description, created, based_on: basedOn } = row
  return { id, app, build, description, created, basedOn, links }
}

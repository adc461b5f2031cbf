import type { Kysely, Selectable, Transaction } from 'kysely'
import { RackError } from '../domain/error.ts'
import { makeId } from '../domain/id.ts'
import type { LinkAddress } from '../domain/link.ts'
import type { OperationIntent } from '../domain/operation.ts'
import type { Release, ReleaseDraft, ReleaseHistory } from '../domain/release.ts'
import {
  noServiceError,
  type AppLink,
  type LinkLogin,
  type Service,
  type ServiceRun,
  type ServiceVersion,
} from '../domain/service.ts'
import type { KeptShare } from '../domain/share.ts'
import type { NewServiceRow, ServiceStore } from '../domain/stores/service-stores.ts'
import { transact, withNewId, type StoreContext } from './context.ts'
import { addServiceEvent } from './service-events.ts'
import { forgetVersions, lockService, readLinks } from './release-links.ts'
import { appendOne } from './releases.ts'
import type { Schema } from './schema.ts'
import { readOpen } from './shares.ts'

/** Services as rows, their addresses sealed. */
export function createServiceStore(context: StoreContext): ServiceStore {
  const { db, cipher } = context
  const rows = db.selectFrom('services').select(['name', 'type', 'status', 'version', 'created'])
  return {
    create: async (row, address) => await createService(context, row, address),
    get: async (name) => (await rows.where('name', '=', name).executeTakeFirst()) ?? null,
    list: async () => await rows.orderBy('name').execute(),
    async run(name) {
      const row = await db.selectFrom('services').select('run').where('name', '=', name).executeTakeFirst()
      return row?.run ? (JSON.parse(cipher.open(row.run, runPlace(name))) as ServiceRun) : null
    },
    change: async (name, { status, run }) =>
      await transact(context, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('services')
          .set({ ...(status && { status }), ...(run && { run: sealRun(context, name, run) }) })
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
        if (numUpdatedRows === 0n) throw noServiceError(name)
        if (status) await addServiceEvent(context, transaction, { name, change: 'changed', status })
      }),
    tell: async (name, facts) =>
      await transact(context, async (transaction) => {
        if (!(await lockService(context, transaction, name))) return
        await addServiceEvent(context, transaction, { name, change: 'changed', facts })
      }),
    retire: async (name, status) =>
      await transact(context, async (transaction) => {
        await lockUnlinked(context, transaction, name)
        await transaction.updateTable('services').set({ status }).where('name', '=', name).execute()
        await addServiceEvent(context, transaction, { name, change: 'changed', status })
      }),
    ...versionStore(context),
    links: async () => await readAppLinks(db),
    remove: async (name) =>
      await transact(context, async (transaction) => {
        await lockUnlinked(context, transaction, name)
        // Its versions go along by their foreign key.
        await transaction.deleteFrom('services').where('name', '=', name).execute()
        await addServiceEvent(context, transaction, { name, change: 'removed' })
      }),
  }
}

function versionStore(
  context: StoreContext,
): Pick<ServiceStore, 'version' | 'versions' | 'addVersion' | 'removeVersion' | 'setAddress'> {
  const { db } = context
  return {
    version: async (name, version) => await readVersion(context, name, version),
    async versions(name) {
      const found = await db
        .selectFrom('service_versions')
        .selectAll()
        .where('service', '=', name)
        .orderBy('seq')
        .execute()
      return found.map((row) => versionOf(context, row))
    },
    addVersion: async (name, address, login) =>
      await withNewId(context, 'V', async (version) =>
        db.transaction().execute(async (transaction) => {
          if (!(await lockService(context, transaction, name))) throw noServiceError(name)
          await addVersion(context, transaction, { service: name, version, address, login })
          return version
        }),
      ),
    async removeVersion(name, version) {
      const own = db.deleteFrom('service_versions').where('service', '=', name).where('id', '=', version)
      await own.execute()
    },
    setAddress: async (name, address, derive) =>
      await withNewId(context, 'V', async (version) =>
        transact(context, async (transaction) => {
          const change = { service: name, version, address, login: null }
          return await setAddress(context, transaction, change, derive)
        }),
      ),
  }
}

async function createService(
  context: StoreContext,
  { name, type, status, run }: NewServiceRow,
  address: LinkAddress,
): Promise<Service> {
  return await withNewId(context, 'V', async (version) =>
    transact(context, async (transaction) => {
      if (await lockService(context, transaction, name)) throw taken(name)
      const service: Service = { name, type, status, version, created: context.now() }
      const row = { ...service, run: run && sealRun(context, name, run) }
      await transaction.insertInto('services').values(row).execute()
      await addVersion(context, transaction, { service: name, version, address, login: null })
      await addServiceEvent(context, transaction, { name, change: 'created', status })
      return service
    }),
  )
}

async function readVersion(
  context: StoreContext,
  service: string,
  version: string,
): Promise<ServiceVersion | null> {
  const rows = context.db.selectFrom('service_versions').selectAll().where('service', '=', service)
  const row = await rows.where('id', '=', version).executeTakeFirst()
  return row ? versionOf(context, row) : null
}

/** What is sealed of a version; one of before links had logins of their own has none. */
type Sealed = LinkAddress & { login?: LinkLogin | null }

function versionOf(
  { cipher }: StoreContext,
  { id, service, address: sealed, created }: Selectable<Schema['service_versions']>,
): ServiceVersion {
  const text = cipher.open(sealed, addressPlace(service, id))
  const { login = null, ...address } = JSON.parse(text) as Sealed
  return { version: id, created, address, login }
}

/** @throws not-found; conflict while an app links it */
async function lockUnlinked(
  context: StoreContext,
  transaction: Transaction<Schema>,
  name: string,
): Promise<void> {
  if (!(await lockService(context, transaction, name))) throw noServiceError(name)
  const links = (await readAppLinks(transaction)).filter(({ service }) => service === name)
  refuseLinked(name, links)
  refuseShared(name, await readOpen(transaction, name))
}

function sealRun({ cipher }: StoreContext, name: string, run: ServiceRun): string {
  return cipher.seal(JSON.stringify(run), runPlace(name))
}

function runPlace(name: string): string[] {
  return ['service run', name]
}

interface NewVersion {
  service: string
  version: string
  address: LinkAddress
  login: LinkLogin | null
}

async function addVersion(
  { cipher, now }: StoreContext,
  transaction: Transaction<Schema>,
  { service, version, address, login }: NewVersion,
): Promise<void> {
  const sealed = cipher.seal(JSON.stringify({ ...address, login }), addressPlace(service, version))
  await transaction
    .insertInto('service_versions')
    .values({ id: version, service, address: sealed, created: now() })
    .execute()
}

async function setAddress(
  context: StoreContext,
  transaction: Transaction<Schema>,
  change: NewVersion,
  derive: (history: ReleaseHistory, version: string) => ReleaseDraft,
): Promise<Release[]> {
  const { service, version } = change
  if (!(await lockService(context, transaction, service))) throw noServiceError(service)
  await addVersion(context, transaction, change)
  await transaction.updateTable('services').set({ version }).where('name', '=', service).execute()
  const links = await readAppLinks(transaction)
  const apps = links.filter((link) => link.service === service && link.isNewest).map(({ app }) => app)
  const releases: Release[] = []
  for (const app of new Set(apps)) {
    const id = makeId('R', context.randomBytes)
    const derived = (history: ReleaseHistory) => derive(history, version)
    releases.push(await appendOne(context, transaction, { id, app, derive: derived }))
  }
  await forgetVersions(transaction)
  await addServiceEvent(context, transaction, { name: service, change: 'changed' })
  return releases
}

interface Roles {
  app: string
  isLive: boolean
  isNewest: boolean
}

/** Releases by which an app has its links today, and what each of them is to it. */
async function readAppLinks(db: Kysely<Schema>): Promise<AppLink[]> {
  const apps = await db.selectFrom('apps').select(['name', 'release']).orderBy('name').execute()
  const newest = await db
    .selectFrom('releases')
    .select(({ fn }) => ['app', fn.max('seq').as('seq')])
    .groupBy('app')
    .execute()
  const ids = await idsOf(
    db,
    newest.map(({ seq }) => seq),
  )
  const roles = new Map<string, Roles>()
  const note = (release: string | null | undefined, role: Roles) => {
    if (!release) return
    const known = roles.get(release)
    const either = (key: 'isLive' | 'isNewest') => role[key] || (known?.[key] ?? false)
    roles.set(release, { app: role.app, isLive: either('isLive'), isNewest: either('isNewest') })
  }
  for (const { app, id } of ids) note(id, { app, isLive: false, isNewest: true })
  for (const { name, release } of apps) note(release, { app: name, isLive: true, isNewest: false })
  for (const { app, release } of await underWay(db)) note(release, { app, isLive: false, isNewest: false })
  return merge(roles, await readLinks(db, [...roles.keys()]))
}

async function idsOf(db: Kysely<Schema>, seqs: number[]): Promise<{ id: string; app: string }[]> {
  if (seqs.length === 0) return []
  return await db.selectFrom('releases').select(['id', 'app']).where('seq', 'in', seqs).execute()
}

async function underWay(db: Kysely<Schema>): Promise<{ app: string; release: string | undefined }[]> {
  const open = db.selectFrom('operations').select(['app', 'intent']).where('status', '=', 'running')
  return (await open.execute()).map(({ app, intent }) => {
    return { app, release: (JSON.parse(intent) as OperationIntent).release }
  })
}

/** One line for each app, alias, service and version, however many releases say so. */
function merge(roles: Map<string, Roles>, links: Awaited<ReturnType<typeof readLinks>>): AppLink[] {
  const merged = new Map<string, AppLink>()
  for (const [release, { app, isLive, isNewest }] of roles) {
    for (const link of links.get(release) ?? []) {
      const { alias, service, version, ...options } = link
      const key = [app, alias, service, version, JSON.stringify(options)].join(' ')
      const known = merged.get(key)
      merged.set(key, {
        app,
        ...link,
        isLive: isLive || (known?.isLive ?? false),
        isNewest: isNewest || (known?.isNewest ?? false),
      })
    }
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, link]) => link)
}

function refuseLinked(name: string, links: AppLink[]): void {
  if (links.length === 0) return
  const texts = new Set(links.map(({ app, alias }) => (alias === name ? app : `${app} (as ${alias})`)))
  const [first] = links
  throw new RackError('conflict', `the service ${name} is linked by ${[...texts].join(', ')}`, {
    hint: `Delete the links first: rack links delete ${first!.alias} --app ${first!.app} --promote`,
    details: links,
  })
}

function refuseShared(name: string, shares: KeptShare[]): void {
  const [first] = shares
  if (!first) return
  const consumers = shares.map(({ consumer }) => consumer).join(', ')
  throw new RackError('conflict', `the service ${name} is shared with ${consumers}`, {
    hint: `End that first: rack services unshare ${name} --consumer ${first.consumer}`,
    details: shares.map(({ consumer }) => ({ service: name, consumer })),
  })
}

function addressPlace(service: string, version: string): string[] {
  return ['service', service, version]
}

function taken(name: string): RackError {
  return new RackError('exists', `there is a service "${name}" already`, {
    hint: `Choose another with --name NAME; rack services set-url ${name} changes where it leads.`,
    details: { service: name },
  })
}

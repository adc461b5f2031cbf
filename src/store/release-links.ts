import type { Kysely, Transaction } from 'kysely'
import { noServiceError, refuseUnready } from '../domain/service.ts'
import type { LinkOptions, ReleaseLink } from '../domain/service-link.ts'
import type { StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

/** The links of releases, by their ids; one without links is not in it. */
export async function readLinks(db: Kysely<Schema>, releases: string[]): Promise<Map<string, ReleaseLink[]>> {
  if (releases.length === 0) return new Map()
  const rows = await db
    .selectFrom('release_links')
    .selectAll()
    .where('release', 'in', releases)
    .orderBy('alias')
    .execute()
  const byRelease = Map.groupBy(rows, ({ release }) => release)
  const pairs = [...byRelease].map(
    ([release, links]) =>
      [
        release,
        links.map(({ alias, service, version, options }) => ({
          alias,
          service,
          version,
          ...(options !== null && (JSON.parse(options) as LinkOptions)),
        })),
      ] as const,
  )
  return new Map(pairs)
}

/** The version that each service has now. */
export async function currentVersions(db: Kysely<Schema>): Promise<Map<string, string>> {
  const rows = await db.selectFrom('services').select(['name', 'version']).execute()
  return new Map(rows.map(({ name, version }) => [name, version]))
}

/**
 * Writes the links of a new release. Those that the release before has are taken as they are; any other's service must be
 * there, and stays until the end of the transaction.
 * @throws not-found
 */
export async function addLinks(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { release, links, taken }: { release: string; links: ReleaseLink[]; taken: ReleaseLink[] },
): Promise<void> {
  const known = new Set(taken.map(({ version }) => version))
  for (const { service, version } of links) {
    if (known.has(version)) continue
    const found = await lockService(context, transaction, service)
    if (!found) throw noServiceError(service)
    refuseUnready(found)
  }
  const rows = links.map(({ alias, service, version, ...options }) => {
    const said = Object.keys(options).length > 0 ? JSON.stringify(options satisfies LinkOptions) : null
    return { release, alias, service, version, options: said }
  })
  if (rows.length > 0) await transaction.insertInto('release_links').values(rows).execute()
}

/** Reads a service in a transaction and keeps others from changing it until the end. */
export async function lockService(
  { dialect }: Pick<StoreContext, 'dialect'>,
  transaction: Transaction<Schema>,
  name: string,
) {
  return await transaction
    .selectFrom('services')
    .selectAll()
    .where('name', '=', name)
    .$if(dialect.hasRowLocks, (query) => query.forUpdate())
    .executeTakeFirst()
}

/**
 * Forgets versions that are nobody's newest and that no release names any more. Of a service that runs here each is a
 * login, which its server must forget first.
 */
export async function forgetVersions(transaction: Transaction<Schema>): Promise<void> {
  await transaction
    .deleteFrom('service_versions')
    .where('id', 'not in', transaction.selectFrom('services').select('version'))
    .where('id', 'not in', transaction.selectFrom('release_links').select('version'))
    .where('service', 'in', transaction.selectFrom('services').select('name').where('run', 'is', null))
    .execute()
}

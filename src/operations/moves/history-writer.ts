import { randomBytes } from 'node:crypto'
import { versionElsewhere, type HistoryRow } from '../../domain/app-archive.ts'
import type { BuiltImage, BuiltImages } from '../../domain/build.ts'
import { makeId, type IdPrefix } from '../../domain/id.ts'
import type { ReleaseLink } from '../../domain/service-link.ts'
import type { Service } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { hasLogins } from '../services/logins.ts'
import type { FoundArchive } from './read-archive.ts'

/** Writes the history of an app that comes from elsewhere. */
export interface HistoryWriter {
  /** What a build or a release of there is called here; itself where it is neither. */
  idOf: (id: string) => string
  /** @param batches of rows, each of which is held whole */
  write(batches: AsyncIterable<HistoryRow[]>): Promise<void>
  /** What is other than it was. */
  notes(): string[]
}

/**
 * Ids stay what they are, unless somebody has them here, such as the app that it is a copy of.
 * @param called what images that came with it are called here
 */
export async function createHistoryWriter(
  context: Context,
  app: string,
  { found: { builds, releases }, called }: { found: FoundArchive; called: ReadonlyMap<string, string> },
): Promise<HistoryWriter> {
  const { store, engine } = context
  const taken = await store.imports.known([...builds, ...releases])
  const ids = new Map([...taken].map((id) => [id, makeId(id[0] as IdPrefix, randomBytes)]))
  const idOf = (id: string) => ids.get(id) ?? id
  const gone = new Set<string>()
  const imageOf = (image: BuiltImage): BuiltImage => {
    return { ...image, reference: called.get(image.reference) ?? engine.calledHere(app, image) }
  }
  const rowOf = await createRowReader(context, { app, idOf, imageOf, builds: new Set(builds), gone })
  return {
    idOf,
    async write(batches) {
      for await (const rows of batches) await store.imports.add(app, rows.map(rowOf))
    },
    notes: () => [
      ...(ids.size > 0
        ? [`${ids.size} builds and releases have new ids, since others have theirs here`]
        : []),
      ...[...gone].map((name) => {
        return `earlier releases link ${name}, which is not here: they cannot be gone back to`
      }),
    ],
  }
}

interface Naming {
  app: string
  idOf: (id: string) => string
  imageOf: (image: BuiltImage) => BuiltImage
  /** Those that are in the archive. */
  builds: ReadonlySet<string>
  /** Hears of services that are not here. */
  gone: Set<string>
}

/** How a row is called here, and what it leads to. */
async function createRowReader(
  { store }: Context,
  { app, idOf, imageOf, builds, gone }: Naming,
): Promise<(row: HistoryRow) => HistoryRow> {
  const services = new Map((await store.services.list()).map((service) => [service.name, service]))
  const linkOf = (link: ReleaseLink): ReleaseLink => {
    const service = services.get(link.service)
    if (!service) gone.add(link.service)
    return { ...link, version: versionOf(service) }
  }
  return (row) => {
    if ('build' in row) {
      const { id, release, ...build } = row.build
      const images = Object.entries(row.content.images).map(([type, image]) => [type, imageOf(image)])
      return {
        build: { ...build, app, id: idOf(id), release: release && idOf(release) },
        content: { ...row.content, images: Object.fromEntries(images) as BuiltImages },
      }
    }
    const { id, build, basedOn, links, ...release } = row.release
    const names = { id: idOf(id), basedOn: basedOn && idOf(basedOn) }
    // A build that was removed meanwhile is in no archive.
    const made = build !== null && builds.has(build) ? idOf(build) : null
    return { ...row, release: { ...release, ...names, app, build: made, links: links.map(linkOf) } }
  }
}

/** Who has logins of links gives each release one when it is gone back to. */
function versionOf(service: Service | undefined): string {
  return service && !hasLogins(service) ? service.version : versionElsewhere
}

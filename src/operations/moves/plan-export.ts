import {
  appArchiveFormat,
  type AppArchive,
  type AppExportContents,
  type AppExportScope,
  type LinkedService,
} from '../../domain/app-archive.ts'
import type { App } from '../../domain/app.ts'
import type { Build } from '../../domain/build.ts'
import type { Control } from '../../domain/control.ts'
import type { Release } from '../../domain/release.ts'
import type { Context } from '../context.ts'
import { findApp } from '../find.ts'
import { refuseWhile } from '../journal/start-operation.ts'
import { keptBuilds } from '../prune.ts'
import { livePlanOf } from '../read-release.ts'
import { listVolumes } from '../volumes.ts'

/** An export before anything large is read. */
export interface ExportPlan {
  archive: AppArchive
  /** The oldest first. */
  builds: Build[]
  releases: Release[]
  /** Hashes of sources that may be kept. */
  sources: string[]
}

/** As many as there are. */
const all = 2 ** 31 - 1

/** Decides what goes into an export of an app. @throws busy while it comes or goes */
export async function planExport(
  context: Context,
  name: string,
  scope: AppExportScope,
  control: Control,
): Promise<ExportPlan> {
  const { store, rack } = context
  const app = await findApp(context, name)
  await refuseWhile(context, name, ['import', 'delete'])
  const releases = (await store.releases.list(name, all)).reverse()
  const builds = (await store.builds.list(name, all)).filter(({ status }) => status === 'complete').reverse()
  const base = baseOf(app, releases)
  const kept = await readKept(context, name)
  const images = await imagesOf(context, { scope, kept, base }, control)
  const volumes = (await listVolumes(context, { app: name, sizes: false }, control)).map((each) => each.name)
  const domains = context.domains.current().filter((domain) => domain.app === name)
  const holding = {
    volumes: scope.volumes ? volumes : [],
    domains: domains.map((domain) => domain.name),
    services: await linkedBy(context, releases, base),
  }
  const contents = {
    app: name,
    rack: rack.name,
    version: rack.version,
    created: context.now().toISOString(),
    releases: releases.length,
    release: app.release,
    images: images.here.length,
    ...holding,
    lacks: [
      ...lack(scope.volumes ? [] : volumes, 'the data of volumes', 'without --no-volumes it is in it'),
      ...(scope.volumes ? await writersOf(context, name) : []),
      ...lackingImages(scope, images),
      ...lacksBeside(holding),
    ],
  }
  const archive: AppArchive = {
    format: appArchiveFormat,
    contents,
    locked: app.locked,
    base,
    formation: await store.formations.get(name),
    noticed: await store.noticedPorts.get(name),
    domains: domains.map((domain) => ({ name: domain.name, process: domain.process })),
    lives: await store.releases.lives(name),
    images: images.here,
  }
  return { archive, builds, releases, sources: sourcesOf(kept) }
}

function sourcesOf(kept: Kept): string[] {
  return [...new Set([...kept.values()].flatMap((content) => content.kept ?? []))]
}

/** What is in no export. */
function lacksBeside({ domains, services }: Pick<AppExportContents, 'domains' | 'services'>): string[] {
  return [
    ...services.map(({ name, type }) => {
      return `the data of ${name} (${type}), which it links: rack services export ${name}`
    }),
    ...lack(domains, 'certificates', 'the other rack has its own'),
    'folders of this machine, and external volumes, that its processes mount',
    'logs of processes and builds, builds that failed, backups that the rack keeps, logins at registries, tokens and the audit',
  ]
}

/** What is live, or else the newest that has a build. */
function baseOf(app: App, releases: Release[]): AppArchive['base'] {
  const isMeant = ({ id, build }: Release) => build !== null && (app.release === null || id === app.release)
  const found = releases.findLast(isMeant)
  return found?.build ? { release: found.id, build: found.build } : null
}

/** Builds of which images and sources are kept. */
async function readKept({ store, rack }: Context, app: string) {
  const builds = await keptBuilds({ store, rack }, app)
  const contents = [...builds].map(async (id) => [id, await store.builds.content(id)] as const)
  return new Map(await Promise.all(contents))
}

type Kept = Awaited<ReturnType<typeof readKept>>

interface Images {
  /** References. */
  here: string[]
  /** How many are wanted, and not here. */
  lost: number
  /** Whether there are builds that are not wanted. */
  hasOthers: boolean
}

async function imagesOf(
  { engine }: Context,
  { scope, kept, base }: { scope: AppExportScope; kept: Kept; base: AppArchive['base'] },
  control: Control,
): Promise<Images> {
  const isBase = (build: string) => build === base?.build
  const isWanted = (build: string) => scope.images === 'all' || (scope.images === 'live' && isBase(build))
  const contents = [...kept].flatMap(([build, content]) => (isWanted(build) ? [content] : []))
  const images = contents.flatMap((content) => Object.values(content.images))
  const references = [...new Set(images.map(({ reference }) => reference))].sort()
  const here = await engine.imagesHere(references, control)
  return {
    here: references.filter((reference) => here.has(reference)),
    lost: references.length - here.size,
    hasOthers: [...kept.keys()].some((build) => !isBase(build)),
  }
}

function lackingImages({ images }: AppExportScope, { lost, hasOthers }: Images): string[] {
  if (images === 'none') return ['images: what is to run elsewhere has to be built again there']
  const others =
    'images of earlier releases, which cannot be rolled back to without a build: --all-images takes them'
  return [
    ...(images === 'live' && hasOthers ? [others] : []),
    ...(lost > 0 ? [`${lost} images that are not here any more`] : []),
  ]
}

/** Services of what is to be made live elsewhere, and of what comes next. */
async function linkedBy(
  { store }: Context,
  releases: Release[],
  base: AppArchive['base'],
): Promise<LinkedService[]> {
  const types = new Map((await store.services.list()).map(({ name, type }) => [name, type]))
  const linking = [releases.find(({ id }) => id === base?.release), releases.at(-1)]
  const names = new Set(linking.flatMap((release) => release?.links ?? []).map(({ service }) => service))
  return [...names].sort().map((name) => ({ name, type: types.get(name) ?? 'service' }))
}

/** Nobody is stopped for it. */
async function writersOf(context: Context, app: string): Promise<string[]> {
  const plan = await livePlanOf(context, app)
  const writing = (plan?.processes ?? []).filter(
    ({ count, mounts }) => count > 0 && mounts.some(({ kind }) => kind === 'volume'),
  )
  const types = writing.map(({ type }) => type)
  return lack(
    types,
    'what processes write to their volumes meanwhile',
    `rack scale ${types[0]}=0 stops one first`,
  )
}

function lack(names: string[], what: string, how: string): string[] {
  return names.length === 0 ? [] : [`${what} (${names.join(', ')}): ${how}`]
}

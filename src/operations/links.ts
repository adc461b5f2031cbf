import type { BuildContent } from '../domain/build.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { PlanInput } from '../domain/plan-input.ts'
import { releaseOfLinks, type Release } from '../domain/release.ts'
import {
  hostedType,
  noServiceError,
  publicAddress,
  refuseUnready,
  runsHere,
  type Service,
} from '../domain/service.ts'
import { hiddenVariables, reaches, urlsNaming } from '../domain/link-reach.ts'
import type { ProcessType } from '../domain/manifest.ts'
import {
  findLink,
  refuseLinkedName,
  withLink,
  type LinkOptions,
  type ReleaseLink,
} from '../domain/service-link.ts'
import { sharedType } from '../domain/share.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { refuseComing } from './journal/start-operation.ts'
import type { ChangedLink, LinkInfo, NewLink } from './links/link-operations.ts'
import { checkOptions, optionsOf } from './links/link-options.ts'
import { readRelease } from './read-release.ts'
import { say } from './say.ts'
import { hasLogins, withLogins, type Wanting } from './services/logins.ts'
import { findService } from './services/services.ts'

/** Of one app or of all: those of their newest release, of the live one, and of what is about to be live. */
export async function listLinks(
  context: Context,
  { app }: { app?: string | undefined },
): Promise<LinkInfo[]> {
  const { services } = context.store
  if (app !== undefined) await findApp(context, app)
  const links = (await services.links()).filter((link) => app === undefined || link.app === app)
  const types = new Map((await services.list()).map(({ name, type }) => [name, type]))
  return await Promise.all(
    links.map(async (link) => {
      const found = await services.version(link.service, link.version)
      const address = found && publicAddress(found.address)
      return { ...link, type: types.get(link.service) ?? null, address }
    }),
  )
}

/**
 * Makes a release in which the app's processes have a service under a name; of a service that knows users, by a login of
 * the link's own. A link that is there already, with the newest version of the service, makes none.
 * @throws not-found; exists for a name that leads elsewhere; conflict for one by which a process is linked
 */
export async function createLink(
  context: Context,
  app: string,
  { service, alias = service, ...asked }: NewLink,
  control: Control,
): Promise<ChangedLink> {
  await findApp(context, app)
  await refuseComing(context, app)
  const found = await readyService(context, service, control)
  const base = await manifestBase(context, app)
  if (base) refuseLinkedName(base.manifest, alias)
  const newest = await context.store.releases.newest(app)
  const before = newest?.links.find((link) => link.alias === alias && link.service === service)
  const options = optionsOf(asked, before)
  checkOptions(found, options, base?.manifest ?? null)
  // Before a login is made.
  withLink(newest?.links ?? [], { alias, service, version: found.version })
  const wanting = { service: found, alias, options, isNew: false }
  const release = await relink(context, app, wanting, `link add:${alias}`, control)
  const notes = await notesOf(context, release, [alias])
  return { alias, release, isNew: release.id !== newest?.id, notes }
}

/** How long a service that is being created is waited for; whoever leaves ends the wait. */
const readyPatienceMs = 120_000

/** @throws not-found, also when its creation is taken back meanwhile; conflict for one that is not there in time, or goes */
async function readyService(context: Context, name: string, { signal }: Control): Promise<Service> {
  const isComing = ({ status }: Service) => status === 'creating' || status === 'returning'
  const look = async () => {
    const found = await findService(context, name)
    return isComing(found) ? null : found
  }
  const wait = { deadlineMs: readyPatienceMs, intervalMs: 250, what: `the service ${name}`, signal }
  const found = await until(look, wait).catch(async (error: unknown) => {
    if (error instanceof DeadlineError) return await findService(context, name)
    throw error
  })
  refuseUnready(found)
  return found
}

/** Makes a release with another login for a link; the old one is revoked when nothing has it any more. @throws not-found; conflict */
export async function rotateLink(
  context: Context,
  app: string,
  name: string,
  control: Control,
): Promise<ChangedLink> {
  await findApp(context, app)
  await refuseComing(context, app)
  const links = (await context.store.releases.newest(app))?.links ?? []
  const { alias, service, version: _version, ...options } = findLink(links, app, name)
  const found = await findService(context, service)
  refuseUnready(found)
  if (!hasLogins(found)) {
    const hint = rotationHint(found)
    throw new RackError('conflict', `${service} gives no link a login of its own`, { ...(hint && { hint }) })
  }
  const wanting = { service: found, alias, options, isNew: true }
  const release = await relink(context, app, wanting, `link rotate:${alias}`, control)
  return { alias, release, isNew: true, notes: [] }
}

function rotationHint({ name, type }: Service): string | undefined {
  if (type === hostedType) return `Change its URL: rack services set-url ${name}`
  if (type !== sharedType) return undefined
  return [
    'The rack that shares it gives the login. There: rack services share SERVICE --as ANOTHER-NAME;',
    `here, with the line that it prints: rack services set-url ${name} --from LINE --promote;`,
    'then there: rack services unshare SERVICE --consumer THE-NAME-OF-BEFORE',
  ].join(' ')
}

async function relink(
  context: Context,
  app: string,
  wanting: Wanting & { options: LinkOptions },
  description: string,
  control: Control,
): Promise<Release> {
  const { alias, service, options } = wanting
  const use = async (logins: ReadonlyMap<string, string>) =>
    await append(context, app, description, (links, versions) => {
      const version = logins.get(alias) ?? versions.get(service.name)
      if (version === undefined) throw noServiceError(service.name)
      return withLink(links, { alias, service: service.name, version, ...options })
    })
  return await withLogins(context, app, [wanting], use, control)
}

/**
 * The links of a release of the past as they can be had now: where a login was revoked, that which the link has today, or
 * a new one, which is told.
 */
export async function withUsableLinks<T>(
  context: Context,
  { app, links }: Pick<Release, 'app' | 'links'>,
  use: (links: ReleaseLink[]) => Promise<T>,
  control: Control,
): Promise<T> {
  const { services } = context.store
  const wanting: Wanting[] = []
  for (const { alias, service: name, version, ...options } of links) {
    const service = await services.get(name)
    if (service && !(await services.version(name, version)))
      wanting.push({ service, alias, options, isNew: false })
  }
  const usable = async (logins: ReadonlyMap<string, string>) => {
    for (const { alias, service } of wanting) {
      const text = `the login to ${service.name} of that time was revoked: ${alias} has one of today`
      say(context, control, text)
    }
    return await use(links.map((link) => ({ ...link, version: logins.get(link.alias) ?? link.version })))
  }
  return await withLogins(context, app, wanting, usable, control)
}

/** Makes a release without the link. Nothing of the service is dropped. @param name of the link, or its service */
export async function deleteLink(context: Context, app: string, name: string): Promise<ChangedLink> {
  await findApp(context, app)
  await refuseComing(context, app)
  const newest = await context.store.releases.newest(app)
  const { alias } = findLink(newest?.links ?? [], app, name)
  const release = await append(context, app, `link remove:${alias}`, (links) => {
    const found = findLink(links, app, alias)
    return links.filter((link) => link !== found)
  })
  const base = await manifestBase(context, app)
  const isBack = base?.manifest.processes.some((type) => type.name === alias)
  const notes = isBack ? [`the process ${alias} is started again, with its data`] : []
  return { alias, release, isNew: true, notes }
}

type Change = (links: ReleaseLink[], versions: ReadonlyMap<string, string>) => ReleaseLink[]

/** A change that changes nothing gives the newest release. */
async function append(
  { store }: Context,
  app: string,
  description: string,
  change: Change,
): Promise<Release> {
  const unchanged = await unchangedBy(store, app, change)
  if (unchanged) return unchanged
  return await store.releases.append(app, (history) =>
    releaseOfLinks(history, (links) => change(links, history.services), description),
  )
}

async function unchangedBy(store: Context['store'], app: string, change: Change): Promise<Release | null> {
  const newest = await store.releases.newest(app)
  if (!newest) return null
  const versions = new Map((await store.services.list()).map(({ name, version }) => [name, version]))
  const after = change(newest.links, versions)
  return JSON.stringify(after) === JSON.stringify(newest.links) ? newest : null
}

/** What a change of the links is based on: the live release, else the newest, where it has a build. */
async function manifestBase(context: Context, app: string): Promise<PlanInput | null> {
  const { release } = await findApp(context, app)
  const base = release ?? (await context.store.releases.newest(app))?.id
  const build = base && (await context.store.releases.get(app, base))?.build
  return base && build ? await readRelease(context, app, base, { underPolicy: false }) : null
}

/** What whoever makes a link should know: what it replaces, and what goes past it. */
async function notesOf(context: Context, release: Release, aliases: string[]): Promise<string[]> {
  const { app, id, build } = release
  if (build === null) return []
  const input = await readRelease(context, app, id, { underPolicy: false })
  const content = await context.store.builds.content(build)
  return [
    ...aliases.flatMap((alias) => standInNotes(input, alias)),
    ...aliases.flatMap((alias) => unreachedNotes(input, alias)),
    ...hiddenNotes(input),
    ...aliases.flatMap((alias) => ownUrlNotes(input, content, alias)),
  ]
}

function standInNotes({ manifest }: PlanInput, alias: string): string[] {
  const standIn = manifest.processes.find(({ name }) => name === alias)
  if (!standIn) return []
  const volumes = standIn.mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
  const stays = volumes.length === 0 ? '' : `; its data stays (${volumes.join(', ')})`
  return [`the process ${alias} is a stand-in: it is not started while the app is linked${stays}`]
}

/** Types that know a stand-in, and are not among those that have the link. */
function unreachedNotes({ manifest, services }: PlanInput, alias: string): string[] {
  const link = services.find((each) => each.alias === alias)
  if (!link?.processes || !manifest.processes.some(({ name }) => name === alias)) return []
  const knows = ({ links, dependsOn }: ProcessType) =>
    [...links, ...dependsOn].some(({ target }) => target === alias)
  const lost = manifest.processes.filter((type) => knows(type) && !reaches(link, type))
  return lost.map(
    ({ name }) => `${name} links or depends on ${alias} too, and is not among those that have the link`,
  )
}

function hiddenNotes({ app, services, environment }: PlanInput): string[] {
  const names = hiddenVariables(services, environment)
  if (names.length === 0) return []
  const [verb, it] = names.length === 1 ? ['hides', 'it'] : ['hide', 'them']
  const rest = `what the link gives; take ${it} out: rack env unset ${names.join(' ')} --app ${app}`
  return [`the app's own ${names.join(', ')} ${verb} ${rest}`]
}

function ownUrlNotes({ manifest }: PlanInput, content: BuildContent, alias: string): string[] {
  return urlsNaming(manifest, alias).map(({ process: type, variable }) => {
    const place = placeOf(content, variable, alias)
    const where = place === null ? '' : ` (${place})`
    return `${type}: ${variable}${where} names ${alias} in a URL of its own, whose name and password are not the link's`
  })
}

/** `docker-compose.yml:7`: the first line that has both words. */
function placeOf({ source }: BuildContent, variable: string, alias: string): string | null {
  for (const { path, text } of source.files) {
    const at = text.split('\n').findIndex((line) => line.includes(variable) && line.includes(alias))
    if (at !== -1) return `${path}:${at + 1}`
  }
  return null
}

/** Tells whoever makes a release live which of its links are not what they seem. */
export async function tellLinks(
  context: Context,
  app: string,
  release: string,
  control: Control,
): Promise<void> {
  const found = await context.store.releases.get(app, release)
  if (!found || found.links.length === 0 || found.build === null) return
  const input = await readRelease(context, app, release, { underPolicy: false })
  const notes = [...hiddenNotes(input), ...(await olderNotes(context, app, found.links))]
  for (const text of notes) say(context, control, text)
}

/** A rollback has the links as they were; what has changed since is said. */
async function olderNotes({ store }: Context, app: string, links: ReleaseLink[]): Promise<string[]> {
  const services = new Map((await store.services.list()).map((service) => [service.name, service]))
  return links.flatMap(({ alias, service, version }) => {
    const now = services.get(service)
    if (!now || runsHere(now) || now.version === version) return []
    const command = `rack links create ${service} --app ${app} --as ${alias} --promote`
    return [`${alias} leads to ${service} as this release knew it; as it is now: ${command}`]
  })
}

import { admitPlan } from '../../domain/admission.ts'
import { checkAppName } from '../../domain/app.ts'
import type { BuiltImage } from '../../domain/build.ts'
import type { Control } from '../../domain/control.ts'
import { changedTypes } from '../../domain/copy-identity.ts'
import { RackError } from '../../domain/error.ts'
import { appOwner } from '../../domain/owner.ts'
import { planRelease, type Plan } from '../../domain/plan.ts'
import type { ReleaseLink } from '../../domain/service-link.ts'
import { loginHolder, refuseUnready, runsHere, type LinkLogin, type Service } from '../../domain/service.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { refuseHeldDomain, refuseHeldName } from '../domains/domains.ts'
import { checkOptions } from '../links/link-options.ts'
import { reachesKeys } from '../links/rooms-of-others.ts'
import { keptBuilds } from '../prune.ts'
import { planInputOf } from '../read-release.ts'
import { hasLogins } from '../services/logins.ts'
import { readStandIns } from '../volume-data/current-volumes.ts'
import { listVolumes } from '../volumes.ts'
import type { FoundArchive } from './read-archive.ts'

/** An archive, and what is to come of it. */
export interface Coming {
  found: FoundArchive
  app: string
  /** It is to be made live next. */
  isNext: boolean
}

/**
 * Refuses an archive that cannot become an app here, with nothing touched.
 * @returns what is to be told of what is here
 * @throws as `importApp`
 */
export async function checkImport(context: Context, coming: Coming, control: Control): Promise<string[]> {
  const { app, found, isNext } = coming
  await refuseTaken(context, coming)
  for (const domain of found.archive.domains) await refuseHeldDomain(context, domain)
  const notes = await refuseVolumes(context, coming, control)
  notes.push(...(await refuseServices(context, coming)))
  await refuseImagesOfOthers(context, coming, control)
  const plan = await planOf(context, coming)
  if (!isNext) return notes
  if (!plan) {
    throw new RackError('conflict', `no release of ${app} has a build, so none can be made live`, {
      hint: 'Leave --promote out, then: rack deploy',
    })
  }
  await refuseImages(context, coming, control)
  const ask = (capacity: Parameters<typeof admitPlan>[1]) =>
    admitPlan(plan, capacity, changedTypes(plan, null))
  using _room = await context.admission.admit(app, `${app}, which is imported,`, ask, control)
  const types = new Set(plan.processes.map(({ type }) => type))
  const obstacles = await context.engine.obstacles(plan, types, control)
  // Images are to come with it.
  const obstacle = obstacles.find(({ code }) => code !== 'image-unavailable')
  if (obstacle) throw obstacle
  return notes
}

/** To be asked again in the app's turn. */
export async function refuseTaken(context: Context, { app }: Pick<Coming, 'app'>): Promise<void> {
  checkAppName(app, context.rack.name)
  refuseHeldName(context, app)
  if ((await context.store.apps.get(app)) === null) return
  throw new RackError('exists', `there is an app "${app}" already, and nothing was changed`, {
    hint: 'Bring it in under another name: --name NAME',
    details: { app },
  })
}

/** Volumes that an app of that name has left. @returns what is told of those that are no part of the archive */
export async function refuseVolumes(
  context: Context,
  { app, found }: Pick<Coming, 'app' | 'found'>,
  control: Control,
): Promise<string[]> {
  const there = (await listVolumes(context, { sizes: false }, control)).filter((one) => one.app === app)
  const volumes = new Set(found.archive.contents.volumes)
  // What stands in for a volume may be called as another volume of the archive.
  const taken = new Set(
    (await context.engine.volumes({ owner: appOwner(app) }, control)).map(({ name }) => name),
  )
  const standIns = [...(await readStandIns(context, app))]
  const [clash] = volumes.intersection(taken)
  const standsFor = standIns.find(([, { current, others }]) => [current, ...others].includes(clash!))?.[0]
  const held =
    there.find(({ name }) => volumes.has(name)) ?? (clash === undefined ? null : { name: standsFor ?? clash })
  if (!held)
    return there.map(
      ({ name }) => `the volume ${name} of an app ${app} that is no more is what it has as ${name}`,
    )
  const what = `the volume ${held.name} of an app ${app} that is no more has data, and the archive has other data for it`
  throw new RackError('conflict', what, {
    hint: `If its data is not wanted: rack volumes delete ${app}/${held.name}; or bring the app in under another name: --name NAME`,
    details: { app, volume: held.name },
  })
}

/** The links of what is to be made live, and of what comes next; those of the past are told when they are gone back to. */
function neededLinks({ base, newest }: FoundArchive): ReleaseLink[] {
  return [...(base?.release.links ?? []), ...(newest?.links ?? [])]
}

/** @returns what the links reach that is others' too */
async function refuseServices({ store }: Context, { app, found }: Coming): Promise<string[]> {
  const types = typesOf(found)
  const aliases = Map.groupBy(neededLinks(found), ({ service }) => service)
  const missing: string[] = []
  const notes = new Set<string>()
  for (const name of aliases.keys()) {
    const service = await store.services.get(name)
    if (!service) {
      missing.push(name)
      continue
    }
    refuseUnready(service)
    refuseOtherType(service, types.get(name))
    const logins = (await store.services.versions(name)).flatMap(({ login }) => login ?? [])
    for (const link of aliases.get(name)!) {
      // What is known by its URL alone heeds none.
      if (hasLogins(service)) checkOptions(service, link, null)
      const others = logins.filter((login) => login.app !== app && isReached(link, login))
      const who = [...new Set(others.map(loginHolder))].sort().join(', ')
      if (who !== '') notes.add(`the link ${link.alias} reaches what others have in ${name} too: ${who}`)
    }
  }
  if (missing.length === 0) return [...notes]
  const lines = missing.map((name) => {
    const as = [...new Set(aliases.get(name)!.map(({ alias }) => alias))].join(', ')
    return `  ${name} (as ${as}): rack services create ${types.get(name) ?? 'TYPE'} --name ${name}`
  })
  const what = `${app} links services that are not here, and nothing was changed`
  throw new RackError('conflict', [what, ...lines].join('\n'), {
    hint: 'Create them and import again: its links lead there by themselves. Their data: rack services export, rack services import',
    details: { app, services: missing },
  })
}

/** What is known by its URL may be anything, on either rack; so may what an export of old does not say. */
function refuseOtherType({ name, type }: Service, was: string | undefined): void {
  const known = was === undefined ? null : findServiceType(was)
  if (!known || known.name === type || !runsHere({ type })) return
  throw new RackError('conflict', `the service ${name} is of the type ${type} here, and was ${was}`, {
    hint: `Nothing was changed. The app speaks to a ${was}: import it on a rack where ${name} is one.`,
    details: { service: name, type, was },
  })
}

/** Whether a link reaches what a login has that its app does not share with all. */
function isReached({ database, keyPrefix }: ReleaseLink, login: LinkLogin): boolean {
  return login.data === database || reachesKeys(keyPrefix ?? null, login.keyPrefix)
}

/** Of which type each service was that it links. */
export function typesOf({ archive }: FoundArchive): Map<string, string> {
  return new Map(archive.contents.services.map(({ name, type }) => [name, type]))
}

/** What would be live, without its links: how much it takes, and what the policy says. @throws manifest-invalid */
async function planOf(context: Context, { app, found, isNext }: Coming): Promise<Plan | null> {
  const { base, archive } = found
  if (!base) return null
  const { release, environment, content } = base
  const { formation, noticed } = archive
  const facts = { app, release: release.id, build: release.build!, environment, content, formation, noticed }
  const reading = { underPolicy: isNext, isNext: true }
  const plan = planRelease(await planInputOf(context, { ...facts, services: [] }, reading))
  const replaced = new Set(release.links.map(({ alias }) => alias))
  return { ...plan, processes: plan.processes.filter(({ type }) => !replaced.has(type)) }
}

/**
 * Refuses images that are not in the archive, and that another app has built here: whoever knows what they are called would
 * have what is in them. What was pulled is nobody's, and an app that was exported here finds its own again.
 */
async function refuseImagesOfOthers(
  context: Context,
  { app, found }: Coming,
  control: Control,
): Promise<void> {
  const coming = new Set(found.archive.images)
  const wanted = [...found.digests].filter(([reference]) => !coming.has(reference))
  const called = wanted.map(([reference, digest]) => context.engine.calledHere(app, { reference, digest }))
  const here = await context.engine.imagesHere([...new Set(called)], control)
  if (here.size === 0) return
  const history = new Set(found.builds)
  const [own, others] = [new Set<string>(), new Set<string>()]
  for (const { name } of await context.store.apps.list()) {
    for (const build of await keptBuilds(context, name)) {
      const images = Object.values((await context.store.builds.content(build)).images)
      const isOwn = history.has(build)
      // What is laid over one that was pulled is the app's.
      const isPublic = ({ pulled, reference, digest }: BuiltImage) =>
        pulled !== undefined && reference === digest
      for (const image of images) if (isOwn || !isPublic(image)) (isOwn ? own : others).add(image.reference)
    }
  }
  const [strange] = here.intersection(others).difference(own)
  if (strange === undefined) return
  throw new RackError(
    'conflict',
    `the archive names the image ${strange}, which it does not hold: another app has built it`,
    {
      hint: 'Nothing was changed. Export the app with all that it has: rack apps export --all-images',
    },
  )
}

async function refuseImages({ engine }: Context, { app, found }: Coming, control: Control): Promise<void> {
  const coming = new Set(found.archive.images)
  const lacking = Object.values(found.base!.content.images).filter(({ reference }) => !coming.has(reference))
  const wanted = lacking.map((image) => engine.calledHere(app, image))
  const here = await engine.imagesHere(wanted, control)
  if (wanted.every((reference) => here.has(reference))) return
  throw new RackError(
    'image-unavailable',
    'images of what is to be made live are neither in the archive nor here',
    {
      hint: 'Nothing was changed. Leave --promote out, then: rack builds rebuild; or export it with its images.',
    },
  )
}

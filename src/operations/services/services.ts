import { isDeepStrictEqual } from 'node:util'
import type { BackupFailure } from '../../domain/backup.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { linkUrl, type LinkAddress } from '../../domain/link.ts'
import { isSameOwner } from '../../domain/owner.ts'
import type { Process } from '../../domain/process.ts'
import { releaseOfLinks, type Release } from '../../domain/release.ts'
import {
  checkServiceName,
  hostedType,
  noServiceError,
  publicAddress,
  runsHere,
  type AppLink,
  type Service,
  type ServiceVersion,
} from '../../domain/service.ts'
import { parseServiceUrl } from '../../domain/service-url.ts'
import { sharedType } from '../../domain/share.ts'
import { tcpProblem } from '../../lib/tcp-answers.ts'
import { didYouMean } from '../../manifest/nearest.ts'
import { findServiceType, serviceTypes } from '../../services/service-types.ts'
import type { ServiceType } from '../../services/service-type.ts'
import type { Context } from '../context.ts'
import type { ChangedService, NewService } from './service-operations.ts'
import { deployService, noteSaid, serviceOwner, servicePlan, untilReady } from './bring-up.ts'
import { listBackups } from './backup/kept-backups.ts'
import { backupFailure, backupFailures } from './backup/kept-schedules.ts'
import { lookInside, refusalOf } from './look-inside.ts'
import { anyImage } from './run-of.ts'
import { rebootService, refuseUnmanaged } from './managed.ts'
import { runService } from './run-service.ts'
import type { ServiceInfo } from './service-info.ts'
import { changeService, endChange, isChanging } from './service-work.ts'
import { takeShare } from './sharing/take-share.ts'

/**
 * Adds a service: one that somebody else runs, by its URL, or one that runs here. An address that does not answer is told,
 * and no reason to refuse.
 */
export async function createService(
  context: Context,
  asked: NewService,
  control: Control,
): Promise<ChangedService> {
  const { name } = asked
  const type = findType(asked.type)
  checkServiceName(name)
  refuseUnmanaged(context, type, asked)
  if (runsHere(asked)) {
    if (asked.url !== undefined || asked.share !== undefined)
      throw new RackError('invalid', 'a service that runs here has no URL to be given')
    await runService(context, type, { ...asked, type: type?.name ?? asked.type }, control)
    return { service: await getService(context, name, control), releases: [], warning: null }
  }
  const { address, warning } = await findPlace(context, asked, control)
  await context.store.services.create({ name, type: asked.type, status: 'running', run: null }, address)
  return { service: await getService(context, name, control), releases: [], warning }
}

/** Where a service is that somebody else runs, and whether it answers. @throws invalid for a URL or a line that is none */
async function findPlace(
  context: Context,
  { type, url, share }: Pick<NewService, 'type' | 'url' | 'share'>,
  control: Control,
): Promise<{ address: LinkAddress; warning: string | null }> {
  const isShared = type === sharedType
  if (isShared ? url !== undefined : share !== undefined) {
    throw new RackError(
      'invalid',
      `a service of the type ${type} is given by ${isShared ? 'a line' : 'its URL'}`,
      {
        hint: isShared
          ? 'The rack that shares it prints the line: rack services share NAME'
          : 'scheme://user:password@host:port/path',
      },
    )
  }
  if (isShared) return await takeShare(context, share ?? '', control)
  const address = parseServiceUrl(url ?? '')
  return { address, ...(await reach(address, control)) }
}

export async function listServices(context: Context, control: Control): Promise<ServiceInfo[]> {
  const { services } = context.store
  const [all, links] = await Promise.all([services.list(), services.links()])
  const copies = all.some(runsHere) ? await context.engine.processes({ all: true }, control) : []
  const failures = await backupFailures(context)
  const around = (name: string) => ({ copies, links, failed: failures.get(name) ?? null })
  return await Promise.all(all.map((service) => describe(context, service, around(service.name))))
}

/** @throws not-found */
export async function getService(context: Context, name: string, control: Control): Promise<ServiceInfo> {
  const service = await findService(context, name)
  const links = await context.store.services.links()
  const filter = { owner: serviceOwner(name), all: true }
  const copies = runsHere(service) ? await context.engine.processes(filter, control) : []
  const failed = await backupFailure(context, name)
  const info = await describe(context, service, { copies, links, failed })
  const run = await context.store.services.run(name)
  const copy = copies.find(({ kind, status }) => kind === 'process' && status === 'running')
  const about = run && copy ? { service, run, copy: copy.id, links: info.links } : null
  const ready = about?.run.managed ? (findServiceType(service.type)?.ready ?? null) : null
  const [[backup], inside, refusal] = await Promise.all([
    service.type === sharedType ? [] : listBackups(context, name),
    about ? lookInside(context, about, control) : null,
    about && ready ? refusalOf(context, about.copy, ready, control) : null,
  ])
  const found = { ...info, backedUp: backup?.created ?? null, inside }
  if (refusal === null || service.status !== 'running') return found
  const detail = `what the account runs for it takes no login; was it deleted or stopped there? ${refusal}`
  return { ...found, status: 'degraded', detail }
}

/** The URL that a link made now would give, with its password. @throws not-found; conflict for one that runs here */
export async function revealService(context: Context, name: string): Promise<{ url: string }> {
  const service = await findService(context, name)
  if (service.type !== hostedType)
    throw new RackError('conflict', `the service ${name} has no URL of its own: each link has`, {
      hint: 'What a link gives is shown by: rack env --app APP --process TYPE',
    })
  const { address } = await currentOf(context, service)
  return { url: linkUrl(address) }
}

/**
 * Changes where a service leads: a new version of it, and a release of every app that links it. A URL that is the same
 * changes nothing, and neither does the line of the same share. @throws not-found; invalid; conflict for one that runs here
 */
export async function setServiceUrl(
  context: Context,
  name: string,
  given: { url?: string | undefined; share?: string | undefined },
  control: Control,
): Promise<ChangedService> {
  const service = await findService(context, name)
  if (runsHere(service)) throw new RackError('conflict', `the service ${name} runs here, and is where it is`)
  const { address, warning } = await findPlace(context, { ...given, type: service.type }, control)
  const before = await currentOf(context, service)
  const isSame =
    linkUrl(before.address) === linkUrl(address) && isDeepStrictEqual(before.address.end, address.end)
  const releases = isSame ? [] : await replaceAddress(context, name, address)
  return { service: await getService(context, name, control), releases, warning }
}

async function replaceAddress({ store }: Context, name: string, address: LinkAddress): Promise<Release[]> {
  return await store.services.setAddress(name, address, (history, version) =>
    releaseOfLinks(
      history,
      (links) => links.map((link) => (link.service === name ? { ...link, version } : link)),
      `link change:${name}`,
    ),
  )
}

/**
 * Stops it and starts it again; settles when it answers.
 * @throws not-found; conflict for one that does not run here; unsupported for one that a cloud empties by it
 */
export async function restartService(context: Context, name: string, control: Control): Promise<ServiceInfo> {
  const found = await findService(context, name)
  const isHere = runsHere(found) && found.status === 'running'
  if (!isHere) throw new RackError('conflict', `the service ${name} does not run here`)
  await changeService(context, name, control, async (own) => {
    const service = await findService(context, name)
    const run = (await context.store.services.run(name))!
    if (run.managed) await rebootService(context, service, run.managed, own)
    else await startAnew(context, service, own)
    await noteSaid(context, name, await untilReady(context, service, own))
  })
  return await getService(context, name, control)
}

async function startAnew(context: Context, service: Service, control: Control): Promise<void> {
  const plan = await servicePlan(context, service)
  const restartAt = context.now().toISOString()
  await deployService(context, plan!, { isNew: false, restartAt }, control)
}

/** Ends the change that runs, and settles when it is undone. @throws not-found; conflict when nothing runs */
export async function cancelService(context: Context, name: string, control: Control): Promise<ServiceInfo> {
  await findService(context, name)
  if (!isChanging(context, name)) throw new RackError('conflict', `nothing is being done to ${name}`)
  await endChange(context, name, 'the change was cancelled')
  return await getService(context, name, control)
}

/** @throws not-found */
export async function findService({ store }: Context, name: string): Promise<Service> {
  const found = await store.services.get(name)
  if (found) return found
  throw noServiceError(name)
}

async function currentOf({ store }: Context, { name, version }: Service): Promise<ServiceVersion> {
  const found = await store.services.version(name, version)
  // Deleted, or changed, since it was read.
  if (!found) throw noServiceError(name)
  return found
}

interface Around {
  copies: Process[]
  links: AppLink[]
  /** Why its last backup by itself is not there. */
  failed: BackupFailure | null
}

async function describe(
  context: Context,
  service: Service,
  { copies, links, failed }: Around,
): Promise<ServiceInfo> {
  const { name } = service
  const { address, created } = await currentOf(context, service)
  const run = await context.store.services.run(name)
  const copy = copies.find(({ owner, kind }) => kind === 'process' && isSameOwner(owner, serviceOwner(name)))
  const isWell = !run || service.status !== 'running' || copy?.status === 'running'
  return {
    ...service,
    status: isWell ? service.status : 'degraded',
    detail: run && copy ? (copy.detail ?? copy.status) : null,
    address: publicAddress(address),
    since: created,
    links: links.filter((link) => link.service === name),
    backedUp: null,
    backupFailed: failed,
    inside: null,
    run: run && {
      image: run.image,
      says: run.says,
      cpuUnits: run.cpuUnits,
      memoryBytes: run.memoryBytes,
      restarts: copy?.restarts ?? 0,
      kept: run.previous?.image ?? null,
      volumes: run.dataPaths.length,
      managed: run.managed !== undefined,
      leavesSnapshot:
        run.managed !== undefined && findServiceType(service.type)?.managed?.leavesSnapshot === true,
    },
  }
}

/** Null for what is no type of an image that the rack knows. @throws invalid for a word that is no type */
function findType(word: string): ServiceType | null {
  if (word === hostedType || word === sharedType || word === anyImage) return null
  const found = findServiceType(word)
  if (found) return found
  const words = [hostedType, sharedType, ...serviceTypes.flatMap(({ name, aliases }) => [name, ...aliases])]
  const meant = didYouMean(word, words)
  throw new RackError(
    'invalid',
    `"${word}" is no type of service${meant === undefined ? '' : `: ${meant}`}`,
    {
      hint: `There are: ${[...serviceTypes.map(({ name }) => name), hostedType, sharedType].join(', ')}`,
      details: { type: word, types: words },
    },
  )
}

/** Long enough for another continent. */
const answerDeadlineMs = 3000

async function reach(
  { scheme, host, port }: LinkAddress,
  { signal }: Control,
): Promise<Pick<ChangedService, 'warning'>> {
  // What such a URL names is no host: its records are looked up by the client.
  if (scheme.endsWith('+srv')) return { warning: null }
  const problem = await tcpProblem({ host, port }, { deadlineMs: answerDeadlineMs, signal })
  return { warning: problem === null ? null : `${host}:${port} does not answer from here: ${problem}` }
}

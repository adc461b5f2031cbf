import { X509Certificate } from 'node:crypto'
import type { Control } from '../../../domain/control.ts'
import { codeOf, knownError, RackError } from '../../../domain/error.ts'
import { hostedType, refuseUnready, runsHere, type Service } from '../../../domain/service.ts'
import { sharedAlready, shareHost, type KeptShare, type Share } from '../../../domain/share.ts'
import { parameterOf } from '../../../domain/parameter.ts'
import type { Context } from '../../context.ts'
import { convergeService } from '../converge-service.ts'
import { makeShareLogin, revokeUnused } from '../logins.ts'
import { changeService, isChanging } from '../service-work.ts'
import { findService } from '../services.ts'
import { certificateTools, isOpen, openEntrance, shareKeys } from './entrance.ts'
import { freeConsumer, wantedShare, type WantedShare } from './new-share.ts'
import { refuseUnable } from './refuse-unable.ts'
import type { MadeShare, NewShare, ShareInfo } from './share-info.ts'
import { writeShareLine } from './share-line.ts'

/** How long an undo may take, whatever was cancelled. */
const undoMs = 60_000

/**
 * Gives a service that runs here to one other rack: a login, and a certificate by which that comes in. Settles when it
 * can; what fails before leaves nothing open.
 * @throws not-found; exists for a consumer that has it; conflict for what does not run here; unsupported; port-taken
 */
export async function shareService(
  context: Context,
  name: string,
  asked: NewShare,
  control: Control,
): Promise<MadeShare> {
  refuseUnable(context)
  const service = await findService(context, name)
  refuseElsewhere(service)
  const wanted = wantedShare(asked, await entrancePlace(context), context.now())
  return await changeService(context, name, control, async (own) => {
    refuseUnready(await findService(context, name))
    const others = (await context.store.shares.list()).filter((share) => share.service === name)
    const consumer = wanted.consumer ?? freeConsumer(others)
    // Before a login is made.
    if (others.some((other) => other.revoked === null && other.consumer === consumer))
      throw sharedAlready(name, consumer)
    const version = await makeShareLogin(context, service, consumer, own)
    const made = await begin(context, { ...wanted, consumer }, { service: name, version })
    try {
      await openEntrance(context, own)
      await convergeService(context, service, own)
      await context.store.shares.open(made.share.id)
    } catch (error) {
      if (!context.running.isInterrupted()) await takeBack(context, made.share)
      throw error
    }
    return { share: made.share, line: await lineOf(context, made), warning: wanted.warning }
  })
}

interface Begun {
  share: Share
  certificate: string
}

async function begin(
  context: Context,
  { consumer, allow, address, expires }: WantedShare & { consumer: string },
  of: { service: string; version: string },
): Promise<Begun> {
  const { issueCertificate, serialOf } = await certificateTools()
  const { authority } = await shareKeys(context)
  const { validFromDate, validToDate } = new X509Certificate(authority.certificate)
  let certificate = ''
  const share = await context.store.shares.begin(async (id) => {
    const until = expires ?? validToDate
    const names = [shareHost(id)]
    const issued = await issueCertificate({
      authority,
      names,
      from: validFromDate,
      until,
      usages: ['client'],
    })
    certificate = issued.certificate + issued.key
    const end = expires?.toISOString() ?? null
    return { ...of, consumer, serial: serialOf(issued), allow, address, expires: end }
  })
  return { share, certificate }
}

async function lineOf(context: Context, { share, certificate }: Begun): Promise<string> {
  const { service, consumer, version, expires, id } = share
  const found = await context.store.services.version(service, version)
  if (!found) throw new RackError('conflict', `the login of ${consumer} to ${service} is gone`)
  const { authority } = await shareKeys(context)
  const { host, port } = splitPlace(share.address)
  const end = { id, host, port, authority: authority.certificate, certificate }
  return writeShareLine({ service, consumer, expires, address: found.address, end })
}

/**
 * Takes a service back from a consumer: nobody comes in any more when it settles, who was in is out, and the login goes.
 * Safe to repeat after a crash at any point.
 * @throws not-found; conflict where there are several and none is named
 */
export async function unshareService(
  context: Context,
  name: string,
  { consumer }: { consumer?: string | undefined },
  control: Control,
): Promise<void> {
  const service = await findService(context, name)
  const shares = (await context.store.shares.list()).filter(
    (share) => share.service === name && share.status !== 'revoked',
  )
  const picked = pick(name, shares, consumer)
  await changeService(context, name, control, async (own) => {
    for (const share of picked) await close(context, share, own)
  })
  await forgetLogin(context, service, control)
}

/** Written down first: what goes wrong after that is tried again by `endShares`. */
async function close(context: Context, { id, service: name }: Share, control: Control): Promise<void> {
  await context.store.shares.revoke(id)
  await openEntrance(context, control)
  const service = await context.store.services.get(name)
  if (service?.status === 'running') await convergeService(context, service, control)
  await context.store.shares.close(id)
}

/** What has failed is what counts; what cannot be undone now is later. */
async function takeBack(context: Context, share: Share): Promise<void> {
  const control = { signal: AbortSignal.timeout(undoMs), report: () => undefined }
  try {
    await close(context, share, control)
  } catch (error) {
    noteUnclosed(context, share, error)
  }
}

function noteUnclosed(context: Context, { service, consumer }: Share, error: unknown): void {
  const facts = { consumer, code: codeOf(error), reason: knownError(error).message }
  context.log('warn', `a share of ${service} is not closed yet, and is tried again`, facts)
}

/** Nobody comes in any more: a login that cannot be revoked now is later. */
async function forgetLogin(context: Context, service: Service, control: Control): Promise<void> {
  try {
    await revokeUnused(context, service, control)
  } catch (error) {
    control.signal.throwIfAborted()
    const facts = { code: codeOf(error), reason: knownError(error).message }
    context.log('warn', `the login of a share of ${service.name} is not revoked yet`, facts)
  }
}

/** Those that are not closed, oldest first. */
export async function listShares(context: Context): Promise<ShareInfo[]> {
  const now = context.now()
  const shares = (await context.store.shares.list()).filter(({ status }) => status !== 'revoked')
  return shares.map((kept) => {
    const { version: _version, serial: _serial, revoked: _revoked, ...share } = kept
    return { ...share, status: toldStatus(kept, now) }
  })
}

function toldStatus(share: KeptShare, now: Date): ShareInfo['status'] {
  if (share.revoked !== null) return 'closing'
  return isOpen(share, now) ? (share.status as 'opening' | 'open') : 'expired'
}

/**
 * Ends what nobody may have any more: shares whose time is over, those whose making a dead daemon has left, and those that
 * were taken back and could not be closed. Rejects only when the signal ends: what goes wrong is tried again with the next
 * look.
 */
export async function endShares(context: Context, control: Control): Promise<void> {
  for (const share of await context.store.shares.list()) {
    if (!isToEnd(context, share) || isChanging(context, share.service)) continue
    try {
      await endShare(context, share, control)
    } catch (error) {
      control.signal.throwIfAborted()
      noteUnclosed(context, share, error)
    }
  }
}

async function endShare(context: Context, { id, service: name }: Share, control: Control): Promise<void> {
  await changeService(context, name, control, async (own) => {
    // What was being made when it was listed may be there by now.
    const share = (await context.store.shares.list()).find((each) => each.id === id)
    if (!share || !isToEnd(context, share)) return
    await close(context, share, own)
    context.log('info', `a share of ${name} is over`, { consumer: share.consumer })
  })
  const service = await context.store.services.get(name)
  if (service) await forgetLogin(context, service, control)
}

function isToEnd(context: Context, share: KeptShare): boolean {
  if (share.status === 'opening' || share.status === 'closing') return true
  return share.status === 'open' && !isOpen(share, context.now())
}

/** All that one consumer has of a service: what is being closed too. */
function pick(service: string, shares: Share[], consumer: string | undefined): Share[] {
  const found = consumer === undefined ? shares : shares.filter((share) => share.consumer === consumer)
  const consumers = [...new Set(shares.map((share) => share.consumer))]
  const names = consumers.join(', ')
  if (new Set(found.map((share) => share.consumer)).size === 1) return found
  if (found.length > 0) {
    throw new RackError('conflict', `${service} is shared with ${names}`, {
      hint: `Say with whom it is to end: rack services unshare ${service} --consumer NAME`,
      details: consumers.map((each) => ({ service, consumer: each })),
    })
  }
  const whom = names === '' ? 'nobody' : `${names}, and not with ${consumer}`
  throw new RackError('not-found', `${service} is shared with ${whom}`, {
    hint: 'See what is shared: rack services shares',
  })
}

function refuseElsewhere(service: Service): void {
  const { name, type } = service
  if (runsHere(service)) return
  const hint =
    type === hostedType
      ? `Give the other rack its URL: rack services info ${name} --reveal`
      : 'Ask the rack that shares it for a line of its own for the other rack.'
  throw new RackError('conflict', `the service ${name} does not run here`, {
    hint,
    details: { service: name, type },
  })
}

/** Where other racks come in, as far as this one knows. */
async function entrancePlace({ store, host }: Context): Promise<{ host: string; port: number }> {
  const port = parameterOf('shares.port', await store.parameters.get('shares.port')).value
  return { host: new URL((await host.describe()).http).hostname, port: Number(port) }
}

function splitPlace(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(text.slice(colon + 1)) }
}

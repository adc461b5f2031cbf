import { randomBytes } from 'node:crypto'
import type { Control } from '../../domain/control.ts'
import { codeOf, knownError, RackError } from '../../domain/error.ts'
import { appOwner, ownerKey } from '../../domain/owner.ts'
import type { LinkOptions, ReleaseLink } from '../../domain/service-link.ts'
import { isLoginOf, type LinkLogin, type Service, type ServiceVersion } from '../../domain/service.ts'
import { isLinkUser, loginNames } from '../../services/login-names.ts'
import type { Inside, Login, Logins } from '../../services/service-type.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { findApp } from '../find.ts'
import { refuseRoomsOfOthers } from '../links/rooms-of-others.ts'
import { say } from '../say.ts'
import { runningCopy, serviceOwner } from './bring-up.ts'
import { isUnchanged, letInByCloud, letsInByCloud, linkedAddress } from './managed.ts'
import { runInside } from './run-inside.ts'

/** A link that is to have a version of its service. */
export interface Wanting {
  service: Service
  alias: string
  /** What of the service it is to reach; its own, and all of that, where it says nothing. */
  options: Pick<LinkOptions, 'database' | 'keyPrefix'>
  /** True for another login than the one that it has. */
  isNew: boolean
}

/**
 * Has a version of each service for links of an app, makes something of them, and settles with that: nothing revokes
 * one in between. Where the type knows users, a version is a login of the link's own: that which it has, or a new one;
 * where it knows none, `use` gets none for the alias, and takes the service's newest.
 * @throws service-failed; conflict while a service does not run; forbidden for what is another app's
 */
export async function withLogins<T>(
  context: Context,
  app: string,
  wanting: Wanting[],
  use: (versions: ReadonlyMap<string, string>) => Promise<T>,
  control: Control,
): Promise<T> {
  const versions = new Map<string, string>()
  const groups = [...Map.groupBy(wanting, ({ service }) => service.name)].sort(([a], [b]) => (a < b ? -1 : 1))
  const go = async ([group, ...others]: typeof groups): Promise<T> => {
    if (!group) return await use(versions)
    const [name, links] = group
    const logins = loginsOf(links[0]!.service)
    if (!logins) return await go(others)
    return await inTurn(context, name, control, async () => {
      for (const link of links)
        versions.set(link.alias, await loginOf(context, app, { ...link, logins }, control))
      return await go(others)
    })
  }
  return await go(groups)
}

async function loginOf(
  context: Context,
  app: string,
  { service, alias, isNew, options, logins }: Wanting & { logins: Logins },
  control: Control,
): Promise<string> {
  const versions = await context.store.services.versions(service.name)
  const own = versions.filter((each) => isLoginOf(each, { app, alias }))
  const linked = await linkedVersion(context, app, { alias, service: service.name })
  const known = own.find(({ version }) => version === linked)
  const data = options.database ?? loginNames({ app, alias }, 1).data
  const keyPrefix = options.keyPrefix ?? null
  const isSame = known?.login?.data === data && known.login.keyPrefix === keyPrefix
  if (known && isSame && !isNew) return known.version
  await refuseRoomsOfOthers(
    context.caller,
    { service: service.name, app, data, keyPrefix, isShared: options.database !== undefined },
    {
      logins: versions.flatMap(({ login }) => login ?? []),
      databases: () => listData(context, service.name, logins, control),
    },
  )
  return await makeLogin(context, service, logins, { app, alias, data, keyPrefix, own }, control)
}

/** The version that the newest release has of a link. */
async function linkedVersion(
  { store }: Context,
  app: string,
  { alias, service }: Omit<ReleaseLink, 'version'>,
): Promise<string | null> {
  const links = (await store.releases.newest(app))?.links ?? []
  return links.find((link) => link.alias === alias && link.service === service)?.version ?? null
}

/** A login for another rack, to data of its own; that which all links have where the type knows no users. In the service's turn. */
export async function makeShareLogin(
  context: Context,
  service: Service,
  consumer: string,
  control: Control,
): Promise<string> {
  const logins = loginsOf(service)
  if (!logins) return service.version
  const of = { app: shareApp, alias: consumer }
  const own = (await context.store.services.versions(service.name)).filter((each) => isLoginOf(each, of))
  const { data } = loginNames(of, 1)
  return await makeLogin(context, service, logins, { ...of, data, keyPrefix: null, own }, control)
}

/** No app is called so: names of a share's data and user begin with the `_` behind it. */
const shareApp = ''

/** Written down before the server hears of it: what is not used in the end is found, and revoked. */
async function makeLogin(
  context: Context,
  service: Service,
  logins: Logins,
  { own, ...about }: Pick<LinkLogin, 'app' | 'alias' | 'data' | 'keyPrefix'> & { own: ServiceVersion[] },
  control: Control,
): Promise<string> {
  const { name } = service
  const run = await context.store.services.run(name)
  if (!run) throw new RackError('conflict', `the service ${name} does not run here`)
  const number = Math.max(0, ...own.map(({ login }) => login?.number ?? 0)) + 1
  const { username } = loginNames(about, number)
  const { data, keyPrefix } = about
  const login: Login = { data, username, password: randomBytes(24).toString('base64url'), keyPrefix }
  const address = { ...linkedAddress(service, run), ...logins.address(login) }
  const kept: LinkLogin = { ...about, number, username }
  const version = await context.store.services.addVersion(name, address, kept)
  if (letsInByCloud(service, run)) await letInOrForget(context, service, version, control)
  else await runIn(context, name, logins.create(login), control)
  return version
}

/** Whom the cloud does not let in, and has changed nothing for, is nobody to be kept out later. */
async function letInOrForget(
  context: Context,
  service: Service,
  version: string,
  control: Control,
): Promise<void> {
  try {
    await letInByCloud(context, service, {}, control)
  } catch (error) {
    if (isUnchanged(error)) await context.store.services.removeVersion(service.name, version)
    throw error
  }
}

/**
 * Ends the logins to a service that nothing has any more: no newest, live or coming release of their app, and no process
 * that such a release has started. What they have made stays. Safe to repeat.
 */
export async function revokeUnused(context: Context, service: Service, control: Control): Promise<void> {
  const logins = loginsOf(service)
  if (!logins || service.status !== 'running') return
  // Most of the time there is nothing to do, and nobody is to wait for that.
  if ((await unusedOf(context, service.name, control)).length === 0) return
  await inTurn(context, service.name, control, async () => {
    await revokeAll(context, service, await unusedOf(context, service.name, control), control)
  })
}

/** To be called in the service's turn. */
async function revokeAll(
  context: Context,
  service: Service,
  versions: ServiceVersion[],
  control: Control,
): Promise<void> {
  const logins = loginsOf(service)!
  const run = await context.store.services.run(service.name)
  const isByCloud = run !== null && letsInByCloud(service, run)
  const without = versions.map(({ version }) => version)
  if (isByCloud && without.length > 0) await letInByCloud(context, service, { without }, control)
  for (const { version, login } of versions) {
    if (!isByCloud) await runIn(context, service.name, logins.revoke(login!), control)
    await context.store.services.removeVersion(service.name, version)
    context.log('info', `a login to ${service.name} is revoked`, { app: login!.app, link: login!.alias })
  }
}

/**
 * Ends the logins of a link at once that no newest, live or coming release has, and their sessions: what still drains
 * loses them. Safe to repeat. @throws not-found; conflict while the service does not run
 */
export async function revokeLogins(
  context: Context,
  app: string,
  alias: string,
  control: Control,
): Promise<{ revoked: number }> {
  await findApp(context, app)
  let revoked = 0
  for (const service of await context.store.services.list()) {
    if (!loginsOf(service) || service.status !== 'running') continue
    const find = async () =>
      (await unlinkedOf(context, service.name)).filter((version) => isLoginOf(version, { app, alias }))
    // Nobody waits for the turn of a service that is not concerned.
    if ((await find()).length === 0) continue
    await inTurn(context, service.name, control, async () => {
      const own = await find()
      await revokeAll(context, service, own, control)
      revoked += own.length
    })
  }
  return { revoked }
}

/** The same for all services, behind what somebody waits for. Never rejects: it is tried again with a later look. */
export async function revokeBehind(context: Context, control: Control): Promise<void> {
  const { store, resting } = context
  const nowMs = () => context.now().getTime()
  await orTell(context, 'services', control, async () => {
    for (const service of await store.services.list()) {
      const { name } = service
      if (nowMs() < (resting.get(name) ?? 0)) continue
      resting.delete(name)
      const isDone = await orTell(context, name, control, () => revokeUnused(context, service, control))
      const run = isDone ? null : await store.services.run(name)
      if (run && letsInByCloud(service, run)) resting.set(name, nowMs() + restMs)
    }
  })
}

/** How long one rests that a cloud has failed to change: each try takes minutes, in which nobody else has its turn. */
const restMs = 30 * 60_000

async function orTell(
  context: Context,
  what: string,
  control: Control,
  revoke: () => Promise<void>,
): Promise<boolean> {
  try {
    await revoke()
    return true
  } catch (error) {
    if (control.signal.aborted || context.running.isInterrupted()) return false
    const facts = { code: codeOf(error), reason: knownError(error).message }
    context.log('warn', `logins to ${what} that nothing has are not revoked yet`, facts)
    return false
  }
}

async function unusedOf(context: Context, service: string, control: Control): Promise<ServiceVersion[]> {
  const idle = await unlinkedOf(context, service)
  if (idle.length === 0) return []
  const apps = new Set(idle.map(({ login }) => login!.app).filter((app) => app !== shareApp))
  const held = await heldVersions(context, apps, control)
  return idle.filter(({ version }) => !held.has(version))
}

/** Logins that no newest, live or coming release has, and no other rack. */
async function unlinkedOf({ store }: Context, service: string): Promise<ServiceVersion[]> {
  const { services } = store
  const all = (await services.versions(service)).filter(({ login }) => login !== null)
  if (all.length === 0) return []
  const shares = (await store.shares.list()).filter(({ revoked }) => revoked === null)
  const linked = new Set([...(await services.links()), ...shares].map(({ version }) => version))
  return all.filter(({ version }) => !linked.has(version))
}

/** Versions that processes still have, of the release that has started each: those that drain, and one-offs. */
async function heldVersions(
  { engine, store }: Context,
  apps: ReadonlySet<string>,
  control: Control,
): Promise<Set<string>> {
  const held = new Set<string>()
  for (const app of apps) {
    const found = await engine.processes({ owner: appOwner(app) }, control)
    for (const release of new Set(found.map((running) => running.release))) {
      for (const { version } of (await store.releases.get(app, release))?.links ?? []) held.add(version)
    }
  }
  return held
}

/**
 * Gives a server that is to be the service all logins that links have, as the versions name them, and takes away what other
 * logins links have had: what was put into it may be older than their end. Safe to repeat.
 */
export async function createLoginsAgain(
  context: Context,
  service: Service,
  copy: string,
  control: Control,
): Promise<void> {
  const logins = loginsOf(service)
  if (!logins) return
  const run = (inside: Inside) => runInside(context.engine, copy, { inside }, control)
  const versions = await context.store.services.versions(service.name)
  for (const { login, address } of versions) {
    if (!login) continue
    const { data, username, keyPrefix } = login
    await run(logins.create({ data, username, keyPrefix, password: address.password }))
  }
  const known = new Set(versions.map(({ login }) => login?.username))
  for (const line of (await run(logins.listUsers)).split('\n')) {
    const [username = '', data = ''] = line.split('\t')
    if (!isLinkUser(username) || known.has(username)) continue
    say(context, control, `no link has the login ${username} any more: it is taken away`)
    await run(logins.revoke({ data, username, keyPrefix: null }))
  }
}

export function hasLogins(service: Service): boolean {
  return loginsOf(service) !== null
}

export function loginsOf({ type }: Service): Logins | null {
  return findServiceType(type)?.logins ?? null
}

export async function inTurn<T>(
  { turns }: Context,
  service: string,
  { signal }: Control,
  task: () => Promise<T>,
): Promise<T> {
  return await turns.run(ownerKey(serviceOwner(service)), signal, task)
}

/** The databases that there are, those too that links have left. @throws conflict while the service does not run */
export async function listData(
  context: Context,
  service: string,
  logins: Logins,
  control: Control,
): Promise<string[]> {
  return (await runIn(context, service, logins.listData, control)).split('\n').filter(Boolean)
}

/** @returns what it printed; @throws conflict while it does not run */
export async function runIn(
  context: Context,
  service: string,
  inside: Inside,
  control: Control,
): Promise<string> {
  const copy = await runningCopy(context, service, control)
  if (copy === null) {
    throw new RackError('conflict', `the service ${service} does not run now`, {
      hint: `See what it says: rack services logs ${service}`,
    })
  }
  return await runInside(context.engine, copy, { inside }, control)
}

import type { BuiltImage } from './build.ts'
import type { Environment } from './environment.ts'
import { RackError } from './error.ts'
import type { LinkAddress } from './link.ts'
import type { LinkOptions } from './service-link.ts'
import { sharedType } from './share.ts'

/** What apps share: a database, a queue, an API. It belongs to the rack, not to an app. */
export interface Service {
  name: string
  /** `url`: somebody else runs it, and it is known by its URL. `shared`: another rack runs it, and shares it. */
  type: string
  status: ServiceStatus
  created: string
  /** The version of its address and credential that a new link gets. */
  version: string
}

/**
 * What the rack has written down before it does it: one that is being created is taken back by the next daemon, one that
 * is being deleted is finished. `kept`: deleted but for its data (`retiring` until then), which it has again when it is
 * created again (`returning` until then).
 */
export type ServiceStatus = 'creating' | 'returning' | 'running' | 'retiring' | 'deleting' | 'kept'

/**
 * How a service runs from an image, as it was when it was created: a newer Rack replaces nothing. Holds the
 * administrator's password.
 */
export interface ServiceRun {
  /** What was pulled: `postgres:15`. */
  image: string
  /** Null until it was pulled. */
  built: BuiltImage | null
  scheme: string
  port: number
  cpuUnits: number
  memoryBytes: number
  stopGraceMs: number
  environment: Environment
  command: string[] | null
  /** Paths of its data: the first is its volume `data`. */
  dataPaths: string[]
  /** What the server says that it is; null before it has. */
  says: string | null
  /** Which of its volumes it has, counted from 1, as where it is absent: what is put back fills new ones. */
  generation?: number
  /** Where a cloud runs it: what runs here is a client of it, in which its commands are given. */
  managed?: ManagedRun
  /** How it ran before an upgrade, whose volumes are kept until that is finished or undone. */
  previous?: ServiceRun
}

/** What a cloud is asked for, and where it has made it: null until then. */
export interface ManagedRun extends Omit<ManagedService, 'name' | 'logins' | 'isThere'> {
  host: string | null
  /** Whose certificates its server shows, as PEM, as its client has them in a file; absent where nothing is encrypted. */
  authorities?: string
  /** What it was, while nobody knows whether the cloud has brought it to what is said here. */
  was?: AskedOfCloud
}

/** What of a service that a cloud runs may be otherwise later. */
export type AskedOfCloud = Pick<ManagedService, 'version' | 'cpuUnits' | 'memoryBytes'>

/** The type of a service that somebody else runs. */
export const hostedType = 'url'

/** Whether it runs here, from an image. */
export function runsHere({ type }: Pick<Service, 'type'>): boolean {
  return type !== hostedType && type !== sharedType
}

/** One version of how a service is reached; a release names the one that it was made with. */
export interface ServiceVersion {
  version: string
  created: string
  address: LinkAddress
  /** Whose alone it is; null for one that all links share. */
  login: LinkLogin | null
}

/** One link's, or another rack's, way into a service that knows users; each version has a user of its own. */
export interface LinkLogin {
  /** Empty for a share's, whose alias is its consumer. */
  app: string
  alias: string
  /** Counted from 1; that of a login that was revoked is free again. */
  number: number
  /** The database or virtual host. */
  data: string
  username: string
  keyPrefix: string | null
}

/** Who has a login, for people. */
export function loginHolder({ app, alias }: Pick<LinkLogin, 'app' | 'alias'>): string {
  return app === '' ? `another rack (${alias})` : `${app} (as ${alias})`
}

export function isLoginOf(
  { login }: ServiceVersion,
  { app, alias }: Pick<LinkLogin, 'app' | 'alias'>,
): boolean {
  return login?.app === app && login.alias === alias
}

/** That an app links a service, by its newest release, its live one, or one that is about to be. */
export interface AppLink extends LinkOptions {
  app: string
  alias: string
  service: string
  version: string
  isLive: boolean
  isNewest: boolean
}

/** What a service's URL may say where it is no secret. */
export type PublicAddress = Pick<LinkAddress, 'scheme' | 'host' | 'port' | 'path'>

const serviceNamePattern = /^[a-z][a-z0-9-]{0,29}$/

/** @throws invalid */
export function checkServiceName(name: string): void {
  if (serviceNamePattern.test(name)) return
  throw new RackError('invalid', `"${name}" cannot be a service's name`, {
    hint: 'Use 1 to 30 lower-case letters, digits and dashes, a letter first: --name main',
  })
}

/** @throws not-found */
export function noServiceError(name: string): RackError {
  return new RackError('not-found', `there is no service "${name}"`, {
    hint: 'See them with: rack services. Make one with: rack services create TYPE --name NAME',
    details: { service: name },
  })
}

/** @throws conflict for one that is not there yet, or goes */
export function refuseUnready({ name, status }: Pick<Service, 'name' | 'status'>): void {
  if (status === 'running') return
  const isComing = status === 'creating' || status === 'returning'
  const hint =
    status === 'kept'
      ? `Create it again, with its data: rack services create TYPE --name ${name}`
      : 'See how far it is: rack services'
  const going = status === 'kept' ? 'was deleted but for its data' : 'is being deleted'
  const what = isComing ? 'is being created' : going
  throw new RackError('conflict', `the service ${name} ${what}`, { hint, details: { service: name, status } })
}

export function publicAddress({ scheme, host, port, path, end }: LinkAddress): PublicAddress {
  // Of what another rack shares, where that lets others in.
  return end ? { scheme, host: end.host, port: end.port, path } : { scheme, host, port, path }
}

/** A service that an engine has run for it, by a cloud. One that runs from an image is a plan that a service owns. */
export interface ManagedService {
  name: string
  /** One of the engine's `managedServices`. */
  kind: string
  version: string
  /** Of its administrator, made by who asks: the same each time. */
  password: string
  cpuUnits: number
  memoryBytes: number
  /** Tells it from an earlier one of its name; none has it that was made before there were any. */
  identity?: string
  /** That it was made before: where the cloud has it no more, none is made in its place. */
  isThere?: boolean
  /** How large it was, where it is brought to another size. */
  was?: Pick<ManagedService, 'cpuUnits' | 'memoryBytes'>
  /** All who are let in besides, where the cloud does that; whoever is in there and not here loses it. */
  logins: ManagedLogin[]
}

export interface ManagedLogin {
  username: string
  password: string
  /** In the server's own words. */
  rights: string
}

/** Where a cloud has made one. */
export interface ServiceAddress extends LinkAddress {
  /** Whose certificates its server shows, as PEM; null where nothing is encrypted. */
  authorities: string | null
}

/** For a kind that is none of an engine's `managedServices`. */
export function unmanagedError({ name, kind }: Pick<ManagedService, 'name' | 'kind'>): RackError {
  return new RackError('unsupported', `nobody runs a ${kind} for this rack`, {
    hint: 'Link a service that is known by its URL, or run it as a process of the app.',
    details: { service: name, kind },
  })
}

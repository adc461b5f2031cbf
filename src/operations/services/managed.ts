import type { Control } from '../../domain/control.ts'
import { isOneOf, knownError, RackError } from '../../domain/error.ts'
import type { LinkAddress } from '../../domain/link.ts'
import type {
  ManagedLogin,
  ManagedRun,
  ManagedService,
  Service,
  ServiceAddress,
  ServiceRun,
} from '../../domain/service.ts'
import { authoritiesPath, imageAddress } from '../../domain/service-plan.ts'
import type { ServiceType } from '../../services/service-type.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { say } from '../say.ts'
import type { NewService } from './service-operations.ts'

/** Whoever asks for one knows that it is made elsewhere, and costs there. @throws unsupported; invalid */
export function refuseUnmanaged(
  { engine }: Pick<Context, 'engine'>,
  type: ServiceType | null,
  { type: word, version, managed = false }: NewService,
): void {
  if (!managed) return
  const { managedServices } = engine.features
  if (type?.managed && managedServices.includes(type.name)) return refuseVersion(type, version)
  const can =
    managedServices.length === 0
      ? 'this rack runs all services itself'
      : `it has these run by its account: ${managedServices.join(', ')}`
  throw new RackError('unsupported', `nobody runs a ${word} for this rack: ${can}`, {
    hint: 'Leave out --managed: the rack runs it from an image. Or give the URL of one: rack services create url',
    details: { type: word, managedServices },
  })
}

/** @throws invalid for a version that the cloud has not */
export function refuseVersion({ name, managed }: ServiceType, version: string | undefined): void {
  const series = managed?.series ?? null
  if (series === null || version === undefined) return
  if (series.some((each) => version === each || version.startsWith(`${each}.`))) return
  throw new RackError('invalid', `the account runs no ${name} of the version ${version} for a rack`, {
    hint: `It runs ${series.join(', ')}: --version ${series.at(-1)!}`,
    details: { type: name, version, series },
  })
}

export function isManaged(run: ServiceRun): run is ServiceRun & { managed: ManagedRun } {
  return run.managed !== undefined
}

/** @throws unsupported for what only one that runs here can be asked for */
export function refuseManaged(
  { name, type }: Pick<Service, 'name' | 'type'>,
  run: ServiceRun,
  what: string,
): void {
  if (!run.managed) return
  const hint = `A backup of it makes a service beside it: rack services backup ${name}, rack services restore ID --into NAME`
  const hasBackups = withheldBecause(type, true) === null && findServiceType(type)?.data != null
  throw new RackError('unsupported', `the account runs ${name}: ${what}`, { ...(hasBackups && { hint }) })
}

/** Of what runs here for one that a cloud runs: that of its version, where the image's makers name it so. */
export function clientImage(type: ServiceType, version: string): string {
  const { versions } = type
  return type.image(versions.known.includes(version) ? version : versions.format(version))
}

/** Why a cloud gives nobody the data of a service of a type; null where it does, or runs none. */
export function withheldBecause(type: string, isManaged: boolean): string | null {
  return isManaged ? (findServiceType(type)?.managed?.withheld ?? null) : null
}

/** @throws unsupported for one of which a cloud gives nobody the data, which is asked for */
export function refuseWithheld(
  { name, type: word }: Pick<Service, 'name' | 'type'>,
  isManaged: boolean,
  what: string,
): void {
  const withheld = withheldBecause(word, isManaged)
  if (withheld === null) return
  throw new RackError('unsupported', `${name} has no ${what}: ${withheld}`, {
    hint: 'One that runs from an image has: rack services create without --managed',
    details: { service: name, type: word },
  })
}

/** Has the cloud run a service that it is to run, and writes down where it is. Safe to repeat. */
export async function provisionService(
  context: Context,
  { name, type: word }: Pick<Service, 'name' | 'type'>,
  control: Control,
): Promise<void> {
  const { engine, store } = context
  const run = await store.services.run(name)
  if (!run || !isManaged(run)) return
  const { host: _host, authorities: _authorities, ...asked } = run.managed
  say(context, control, `the account makes a ${asked.kind} for ${name}; that takes some ten minutes`)
  const address = await engine.provision({ name, ...asked, logins: [] }, control)
  await store.services.change(name, { run: runAt(run, word, address) })
}

/** How the client of one runs that a cloud has made somewhere. */
export function runAt(
  run: ServiceRun & { managed: ManagedRun },
  word: string,
  { authorities, ...address }: ServiceAddress,
): ServiceRun & { managed: ManagedRun } {
  const place = { ...address, authoritiesFile: authoritiesPath }
  return {
    ...run,
    port: address.port,
    environment: { ...run.environment, ...findServiceType(word)!.managed!.environment(place) },
    managed: { ...run.managed, host: address.host, ...(authorities !== null && { authorities }) },
  }
}

/** Whether the cloud that runs a service is asked to let somebody in. */
export function letsInByCloud({ type }: Pick<Service, 'type'>, run: ServiceRun): boolean {
  return run.managed !== undefined && findServiceType(type)?.managed?.rights != null
}

/** Has the cloud let in whoever has a version of a service, and nobody else. Safe to repeat. */
export async function letInByCloud(
  context: Context,
  service: Pick<Service, 'name' | 'type'>,
  { without = [] }: { without?: readonly string[] },
  control: Control,
): Promise<void> {
  say(context, control, `the account changes who is let into ${service.name}; that takes some minutes`)
  await provisionAgain(context, service, { without }, control)
}

/** Has the cloud run a service that is there, as it is written down; nobody is to have these versions any more. */
export async function provisionAgain(
  context: Context,
  { name, type: word }: Pick<Service, 'name' | 'type'>,
  { without = [] }: { without?: readonly string[] },
  control: Control,
): Promise<ServiceAddress> {
  const { engine, store } = context
  const [run, versions] = [await store.services.run(name), await store.services.versions(name)]
  const { host: _host, authorities: _authorities, ...asked } = run!.managed!
  const rights = findServiceType(word)!.managed!.rights
  const logins = versions.flatMap(({ version, login, address: { password } }): ManagedLogin[] => {
    if (!rights || !login || without.includes(version)) return []
    return [{ username: login.username, password, rights: rights(login.keyPrefix) }]
  })
  return await engine.provision({ name, ...asked, isThere: true, logins }, control)
}

/** Has the cloud start its server anew. @throws unsupported for a type of which that would empty it; conflict */
export async function rebootService(
  context: Context,
  { name, type }: Pick<Service, 'name' | 'type'>,
  { kind }: ManagedRun,
  control: Control,
): Promise<void> {
  const why = findServiceType(type)?.managed?.noRestart ?? null
  if (why !== null) {
    throw new RackError('unsupported', `${name} is not restarted: ${why}`, {
      hint: 'Who wants that reboots its node in the list of ElastiCache.',
      details: { service: name, type },
    })
  }
  say(
    context,
    control,
    `the account restarts the server of ${name}: all connections are cut, and for some minutes nobody may reach it`,
  )
  await context.engine.reboot({ name, kind }, control)
}

/** Whether a failure of the cloud's says that nothing was done, or that all of it was taken back. */
export function isUnchanged(error: unknown): boolean {
  if (isOneOf(error, 'invalid', 'unsupported', 'conflict', 'capacity')) return true
  const { details } = knownError(error) as { details: { isUnchanged?: boolean } | undefined }
  return details?.isUnchanged === true
}

/** Where a link to a service leads. */
export function linkedAddress({ name, type }: Pick<Service, 'name' | 'type'>, run: ServiceRun): LinkAddress {
  const address = imageAddress(name, run)
  const isOwnHost = run.managed?.host != null && findServiceType(type)?.managed?.scheme != null
  // A certificate is made out to it.
  return isOwnHost ? { ...address, host: run.managed!.host! } : address
}

/** Has the cloud take it away; gives what that keeps of its data. Safe to repeat. */
export async function deprovisionService(
  context: Context,
  { name }: Pick<Service, 'name'>,
  control: Control,
): Promise<string | null> {
  const { engine, store } = context
  const managed = (await store.services.run(name))?.managed
  if (!managed) return null
  const kept = await engine.deprovision(identityOf(name, managed), control)
  if (kept !== null) say(context, control, `the account keeps the last snapshot of ${name}: ${kept}`)
  return kept
}

/** By which a cloud tells it from others of its name. */
export function identityOf(
  name: string,
  { identity }: ManagedRun,
): Pick<ManagedService, 'name' | 'identity'> {
  return { name, ...(identity !== undefined && { identity }) }
}

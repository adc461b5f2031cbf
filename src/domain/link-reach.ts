import { linkedFor } from './declared-variables.ts'
import type { Environment } from './environment.ts'
import { linkVariables, type LinkAddress } from './link.ts'
import type { Manifest, ProcessType } from './manifest.ts'
import type { ServiceLink } from './service-link.ts'
import type { SharedEnd } from './share.ts'

/** A service that runs here, and the names by which the processes of a type are led to it. */
export interface LedService {
  service: string
  names: string[]
}

/** A host that somebody else runs, and the names by which the processes of a type know it beside its own. */
export interface OutsideHost {
  host: string
  names: string[]
}

/** The same of a service that another rack shares with this one. Holds a key. */
export interface LedShare extends LedService {
  /** Of the service: another version is another way there. */
  version: string
  /** At which the processes ask for it. */
  port: number
  end: SharedEnd
}

/** What a type is led to: services that run here, hosts outside, and services of other racks. */
export function servicesLed(
  { manifest, services }: { manifest: Manifest; services: ServiceLink[] },
  type: ProcessType,
): { services?: LedService[]; outside?: OutsideHost[]; shared?: LedShare[] } {
  const own = services.filter((link) => reaches(link, type))
  const here = own
    .filter(({ runsHere }) => runsHere)
    .map(({ service, alias }) => ({ service, names: namesOfLink(manifest, alias) }))
  const outside = own.flatMap(({ runsHere, address, alias }) => {
    if (runsHere || !address || address.end) return []
    const names = namesOfLink(manifest, alias).filter((name) => name !== address.host)
    return names.length === 0 ? [] : [{ host: address.host, names }]
  })
  const shared = own.flatMap(({ service, alias, version = '', address }): LedShare[] => {
    if (!address?.end) return []
    return [{ service, names: namesOfLink(manifest, alias), version, port: address.port, end: address.end }]
  })
  return {
    ...(here.length > 0 && { services: here }),
    ...(outside.length > 0 && { outside }),
    ...(shared.length > 0 && { shared }),
  }
}

/** Whether a type is among those that a link is for. */
function isFor({ processes }: Pick<ServiceLink, 'processes'>, type: Pick<ProcessType, 'name'>): boolean {
  return processes?.includes(type.name) ?? true
}

/**
 * What a link reaches: every type that it is for. One that takes only the variables that its file names is led to what it speaks of: by
 * a variable of the link, in a value, or as the stand-in that it links or depends on. All others keep their copies.
 */
export function reaches(link: Pick<ServiceLink, 'alias' | 'processes'>, type: ProcessType): boolean {
  const { alias } = link
  if (!isFor(link, type)) return false
  if (!type.isDeclaredOnly) return true
  const { environment, links, dependsOn } = type
  return (
    Object.keys(linkedFor(type, variablesOf(namesFor(type, alias), nowhere))).length > 0 ||
    links.some(({ target }) => target === alias) ||
    dependsOn.some(({ target }) => target === alias) ||
    environment.some(({ value }) => speaksOf(value ?? '', alias))
  )
}

/** The names by which processes know a service: the link's, and all those of the stand-in. */
function namesOfLink({ processes }: Manifest, alias: string): string[] {
  const others = processes.flatMap((type) => namesFor(type, alias))
  const standIn = processes.find(({ name }) => name === alias)
  return [...new Set([alias, ...(standIn?.hostNames ?? []), ...others])]
}

/** The link's name, and the others by which a type links to the stand-in. */
function namesFor({ links }: Pick<ProcessType, 'links'>, alias: string): string[] {
  const others = links.filter(({ target }) => target === alias).map((link) => link.alias)
  return [...new Set([...others, alias])]
}

/** What the links to services give a type, also under the other names by which it links to a stand-in. */
export function serviceVariables(
  services: ServiceLink[],
  type: Pick<ProcessType, 'name' | 'links'>,
): Environment {
  return variablesOfLinks(
    services.filter((link) => isFor(link, type)),
    type,
  )
}

function variablesOfLinks(services: ServiceLink[], type: Pick<ProcessType, 'links'>): Environment {
  const all = services.map(({ alias, address }) =>
    address ? variablesOf(namesFor(type, alias), address) : {},
  )
  return Object.assign({}, ...all) as Environment
}

function variablesOf(names: string[], address: LinkAddress): Environment {
  return Object.assign({}, ...names.map((name) => linkVariables(name, address))) as Environment
}

const nowhere: LinkAddress = { scheme: '', host: '', port: 0, path: '', username: '', password: '' }

/** Variables of the app by which processes do not see what a link gives: the app's own win. */
export function hiddenVariables(services: ServiceLink[], environment: Environment): string[] {
  const given = variablesOfLinks(services, { links: [] })
  const hidden = Object.entries(given).filter(
    ([name, value]) => Object.hasOwn(environment, name) && environment[name] !== value,
  )
  return hidden.map(([name]) => name).sort()
}

/** A variable of the compose file that names an alias as the host of a URL, with credentials that are not the service's. */
export interface OwnUrl {
  process: string
  variable: string
}

/** `DATABASE_URL: postgres://shop:secret@db/shop` goes on to say who logs in, whatever the link says. */
export function urlsNaming({ processes }: Manifest, alias: string): OwnUrl[] {
  return processes
    .filter(({ name }) => name !== alias)
    .flatMap(({ name, environment }) =>
      environment.flatMap((variable) =>
        namesHost(variable.value ?? '', alias) ? [{ process: name, variable: variable.name }] : [],
      ),
    )
}

function namesHost(value: string, alias: string): boolean {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\s]*)/i.exec(value)?.[1]
  if (authority === undefined) return false
  return areHosts(authority.slice(authority.lastIndexOf('@') + 1), alias)
}

/** `db`, `db:5432` or a URL of it. */
function speaksOf(value: string, alias: string): boolean {
  return areHosts(value, alias) || namesHost(value, alias)
}

function areHosts(text: string, alias: string): boolean {
  return text.split(',').some((host) => host.trim().replace(/:\d*$/, '') === alias)
}

import { RackError } from './error.ts'
import { linkPrefix, type LinkAddress } from './link.ts'
import { processNamePattern, type Manifest, type ProcessType } from './manifest.ts'

/** What a link says beside where it leads; what is absent is as usual. */
export interface LinkOptions {
  /** The only types that have it; all when absent. */
  processes?: string[]
  /** The database that links of this word share; one of the link's own when absent. */
  database?: string
  /** Its login reaches the keys alone that begin so; all when absent. */
  keyPrefix?: string
}

/** A link of a release: it stays as it is with the release. */
export interface ReleaseLink extends LinkOptions {
  /** The name under which the app's processes know the service. */
  alias: string
  service: string
  /** Of the service's address and credential. */
  version: string
}

/** A service as one release of an app sees it. */
export interface ServiceLink {
  service: string
  alias: string
  /** The only types that have it; all when absent. */
  processes?: string[]
  /** Null where the service is no more. */
  address: LinkAddress | null
  /** Of the service; absent where it is no more. */
  version?: string
  /** True for one that the rack runs: it is reached by the link's name. */
  runsHere?: boolean
  /** True where the service is there, and the login that the release had was revoked. */
  isRevoked?: boolean
}

/** Names of processes that are not started: a service of the same name takes their place. */
export function standIns(services: ServiceLink[]): Set<string> {
  return new Set(services.map(({ alias }) => alias))
}

/** Types that run: all but the stand-ins. */
export function startedTypes({ processes }: Manifest, services: ServiceLink[]): ProcessType[] {
  const replaced = standIns(services)
  return processes.filter(({ name }) => !replaced.has(name))
}

/** A release whose service was deleted, or whose login was revoked, cannot run as it is. @throws conflict */
export function refuseGone(app: string, release: string, services: ServiceLink[]): void {
  const lost = services.filter(({ address }) => address === null)
  const gone = lost.filter(({ isRevoked }) => !isRevoked)
  const [first] = gone
  const [revoked] = lost
  if (!first && revoked) {
    throw new RackError('conflict', `the login to ${revoked.service} that ${release} had was revoked`, {
      hint: `A release like it, with a login of its own: rack releases rollback ${release} --app ${app}`,
      details: { app, release, services: lost.map(({ service }) => service) },
    })
  }
  if (!first) return
  const texts = gone.map(({ alias, service }) => (alias === service ? alias : `${service} (as ${alias})`))
  throw new RackError('conflict', `${release} links to a service that is no more: ${texts.join(', ')}`, {
    hint: [
      `Make it again: rack services create url --name ${first.service};`,
      `or run without it: rack links delete ${first.alias} --app ${app}, then promote that release.`,
    ].join(' '),
    details: { app, release, services: gone.map(({ service }) => service) },
  })
}

/**
 * The links of a release with one more, or with the newest version of one that is there.
 * @throws invalid for a name that cannot be; exists for a name that leads to another service
 */
export function withLink(links: ReleaseLink[], link: ReleaseLink): ReleaseLink[] {
  const { alias, service } = link
  if (!processNamePattern.test(alias)) {
    throw new RackError('invalid', `"${alias}" cannot be the name of a link`, {
      hint: 'Use 1 to 31 lower-case letters, digits and dashes, a letter first: --as db',
    })
  }
  const other = links.find((each) => each.alias === alias)
  if (other && other.service !== service) {
    throw new RackError('exists', `"${alias}" leads to the service ${other.service} already`, {
      hint: `Choose another name with --as NAME, or delete that link first: rack links delete ${alias}`,
    })
  }
  const rest = links.filter((each) => each !== other)
  return [...rest, link].sort((a, b) => (a.alias < b.alias ? -1 : 1))
}

/** By its alias, or by its service where one link alone leads there. @throws not-found; conflict */
export function findLink(links: ReleaseLink[], app: string, name: string): ReleaseLink {
  const named = links.find(({ alias }) => alias === name)
  const leading = links.filter(({ service }) => service === name)
  if (named) return named
  if (leading.length > 1) {
    const aliases = leading.map(({ alias }) => alias).join(', ')
    throw new RackError('conflict', `${app} links ${name} as ${aliases}`, { hint: 'Name one of these.' })
  }
  if (leading[0]) return leading[0]
  throw new RackError('not-found', `${app} has no link "${name}"`, {
    hint: `See them with: rack links --app ${app}`,
  })
}

/** A process that the app's processes link under the name already, and that the service would not stand in for. */
export function refuseLinkedName({ processes }: Manifest, alias: string): void {
  for (const { name, links } of processes) {
    const clash = links.find((link) => link.alias === alias && link.target !== alias)
    if (!clash) continue
    throw new RackError('conflict', `${name} links the process ${clash.target} as "${alias}" already`, {
      hint: `Choose another name with --as NAME; ${linkPrefix(alias)}_URL leads to ${clash.target}.`,
    })
  }
}

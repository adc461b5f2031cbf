import type { Environment } from './environment.ts'
import type { ReleaseLink } from './service-link.ts'

/** Immutable: build + environment + manifest + links. Environment values are apart, encrypted in the store. */
export interface Release {
  id: string
  app: string
  build: string | null
  description: string
  created: string
  /** The release it was made from, for the reader of the history. */
  basedOn: string | null
  /** To services, by alias. */
  links: ReleaseLink[]
}

/** What a new release is made of; the store gives it its id and time. */
export interface ReleaseDraft {
  build: string | null
  environment: Environment
  description: string
  basedOn: string | null
  links: ReleaseLink[]
}

/** What the derivation of a release may look at; read and appended in one transaction. */
export interface ReleaseHistory {
  /** The newest release of the app with its environment. */
  newest: { release: Release; environment: Environment } | null
  /** The live one. */
  live: { release: Release; environment: Environment } | null
  /** The version that each of the rack's services has now. */
  services: ReadonlyMap<string, string>
}

/** A build's release takes the newest environment and links. */
export function releaseOfBuild(
  history: ReleaseHistory,
  build: string,
  description: string | null,
): ReleaseDraft {
  return {
    build,
    environment: history.newest?.environment ?? {},
    description: description ?? `build ${build}`,
    basedOn: history.newest?.release.id ?? null,
    links: history.newest?.release.links ?? [],
  }
}

/** An environment change takes the live release's build, or the newest build when nothing is live. */
export function releaseOfEnvironment(
  history: ReleaseHistory,
  change: (environment: Environment) => Environment,
): ReleaseDraft {
  const before = history.newest?.environment ?? {}
  const environment = change(before)
  const base = history.live ?? history.newest
  return {
    build: base?.release.build ?? null,
    environment,
    description: describeChange(before, environment),
    basedOn: base?.release.id ?? null,
    links: history.newest?.release.links ?? [],
  }
}

/** A change of the links takes what a change of the environment does. */
export function releaseOfLinks(
  history: ReleaseHistory,
  change: (links: ReleaseLink[]) => ReleaseLink[],
  description: string,
): ReleaseDraft {
  const draft = releaseOfEnvironment(history, (environment) => environment)
  return { ...draft, links: change(draft.links), description }
}

/** A rollback copies the old release's build, environment and links. */
export function releaseOfRollback(
  target: Release,
  environment: Environment,
  links = target.links,
): ReleaseDraft {
  const { id, build } = target
  return { build, environment, description: `rollback to ${id}`, basedOn: id, links }
}

/** `env add:A change:B remove:C`: names sorted, never a value. */
export function describeChange(before: Environment, after: Environment): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const words = names.flatMap((name) => {
    if (!Object.hasOwn(before, name)) return [`add:${name}`]
    if (!Object.hasOwn(after, name)) return [`remove:${name}`]
    return before[name] === after[name] ? [] : [`change:${name}`]
  })
  return words.length === 0 ? 'env unchanged' : `env ${words.join(' ')}`
}

import type { Environment } from './environment.ts'

/** Immutable: build + environment + manifest. Environment values are apart, encrypted in the store. */
export interface Release {
  id: string
  app: string
  build: string | null
  description: string
  created: string
  /** The release it was made from, for the reader of the history. */
  basedOn: string | null
}

/** What a new release is made of; the store gives it its id and time. */
export interface ReleaseDraft {
  build: string | null
  environment: Environment
  description: string
  basedOn: string | null
}

/** What the derivation of a release may look at; read and appended in one transaction. */
export interface ReleaseHistory {
  /** The newest release of the app with its environment. */
  newest: { release: Release; environment: Environment } | null
  /** The live one. */
  live: { release: Release; environment: Environment } | null
}

/** A build's release takes the newest environment. */
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
  }
}

/** A rollback copies the old release's build and environment. */
export function releaseOfRollback(target: Release, environment: Environment): ReleaseDraft {
  return { build: target.build, environment, description: `rollback to ${target.id}`, basedOn: target.id }
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

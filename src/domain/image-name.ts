import type { BuildSpec, ProcessType } from './manifest.ts'

/** `registry:5000/team/web:1@sha256:…` cut into its parts. */
export function splitReference(name: string): {
  repository: string
  tag: string | null
  digest: string | null
} {
  const [named = '', digest = null] = name.split('@', 2)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  return {
    repository: hasTag ? named.slice(0, colon) : named,
    tag: hasTag ? named.slice(colon + 1) : null,
    digest,
  }
}

/**
 * A name with its tag or digest, and without what stands for the registry that is meant when none is named: as engines
 * list it, and the same for all ways in which one image is named.
 */
export function wholeName(name: string): string {
  const { repository, tag, digest } = splitReference(name)
  const familiar = repository.replace(/^(index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '')
  return digest === null ? `${familiar}:${tag ?? 'latest'}` : `${familiar}@${digest}`
}

/**
 * How the image of each type is built, for those that are. A name that stands beside a build is the app's own: processes
 * of the same file that ask for it, however they write it, get what is built, and nobody else ever sees it.
 */
export function buildsByType(types: Pick<ProcessType, 'name' | 'build' | 'image'>[]): Map<string, BuildSpec> {
  const named = types.flatMap(({ build, image }) =>
    build && image ? [[wholeName(image), build] as const] : [],
  )
  const built = new Map(named)
  return new Map(
    types.flatMap(({ name, build, image }) => {
      const own = build ?? (image === null ? undefined : built.get(wholeName(image)))
      return own ? [[name, own] as const] : []
    }),
  )
}

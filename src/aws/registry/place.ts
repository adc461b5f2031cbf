import { splitReference } from '../../domain/image-name.ts'
import { defaultRegistry, registryOf } from '../../domain/registry.ts'

/** Where an image lies, as the distribution API names it. */
export interface ImagePlace {
  /** As names of images have it: `docker.io` where they have none. */
  host: string
  /** `library/busybox`. */
  repository: string
  /** A tag, or `sha256:…`. */
  reference: string
}

/** How the registry that is meant where none is named is reached. */
const hubHost = 'registry-1.docker.io'

/** Reads the name of an image. */
export function placeOf(name: string): ImagePlace {
  const { repository, tag, digest } = splitReference(name)
  const host = registryOf(repository)
  const slash = repository.indexOf('/')
  const isNamed = slash > 0 && /[.:]|^localhost$/.test(repository.slice(0, slash))
  const path = isNamed ? repository.slice(slash + 1) : repository
  const whole = host === defaultRegistry && !path.includes('/') ? `library/${path}` : path
  return { host, repository: whole, reference: digest ?? tag ?? 'latest' }
}

/** The name of an image by what is in it. */
export function nameOf(
  { host, repository }: Pick<ImagePlace, 'host' | 'repository'>,
  digest: string,
): string {
  return `${host}/${repository}@${digest}`
}

/** Without TLS on this machine alone, as engines do. */
export function addressOf(host: string): string {
  if (host === defaultRegistry) return `https://${hubHost}`
  return `${/^(127\.\d+\.\d+\.\d+|localhost)(:\d+)?$/.test(host) ? 'http' : 'https'}://${host}`
}

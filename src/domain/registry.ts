import { RackError } from './error.ts'

/** A registry of images at which the rack has a login. */
export interface Registry {
  /** `registry.example.com` or `registry.example.com:5000`. */
  host: string
  username: string
  since: string
}

/** The password is a secret: never in a log, an error or a URL. */
export interface RegistryLogin {
  host: string
  username: string
  password: string
}

/** The registry that is meant where an image names none. */
export const defaultRegistry = 'docker.io'

const aliases = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])
const hostPattern = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/

/** A registry as images name it. @throws invalid for what is no host */
export function checkRegistryHost(text: string): string {
  const host = text
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/(v[12]\/?)?$/, '')
  if (aliases.has(host)) return defaultRegistry
  if (host.length <= 255 && hostPattern.test(host)) return host
  throw new RackError('invalid', `"${text}" is not the host of a registry`, {
    hint: 'Write it as names of images do, without a path: rack registries add registry.example.com --username NAME',
  })
}

/** The registry of an image: what is before its first slash, where that can be a host. */
export function registryOf(image: string): string {
  const [first = '', ...path] = image.split('/')
  const isHost = path.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  return isHost && !aliases.has(first) ? first : defaultRegistry
}

import type { Environment } from './environment.ts'
import type { SharedEnd } from './share.ts'

/** What a link points at, before it becomes variables. */
export interface LinkAddress {
  scheme: string
  host: string
  port: number
  /** With its leading `/`, or empty. */
  path: string
  username: string
  password: string
  /** With its leading `?` or `#`: what a URL has behind its path. */
  query?: string
  /** What the URL has in the place of `host:port`: several hosts, or one whose port goes without saying. */
  authority?: string
  /** Where another rack shares it: how it is come in to. */
  end?: SharedEnd
}

const encode = encodeURIComponent

/** What the names of a link's variables begin with. */
export function linkPrefix(alias: string): string {
  return alias.toUpperCase().replaceAll('-', '_')
}

/** The URL that leads to an address; name and password are percent-encoded in it. */
export function linkUrl(address: LinkAddress): string {
  const { scheme, host, port, username, password, query = '' } = address
  const secret = password === '' ? '' : `:${encode(password)}`
  const userinfo = username === '' && password === '' ? '' : `${encode(username)}${secret}@`
  return `${scheme}://${userinfo}${address.authority ?? `${host}:${port}`}${pathOf(address)}${query}`
}

function pathOf({ path }: LinkAddress): string {
  return path === '' || path.startsWith('/') ? path : `/${path}`
}

/** The seven variables of a link; values are percent-encoded in the URL only. */
export function linkVariables(alias: string, address: LinkAddress): Environment {
  const prefix = linkPrefix(alias)
  const { scheme, host, port, username, password } = address
  return {
    [`${prefix}_URL`]: linkUrl(address),
    [`${prefix}_SCHEME`]: scheme,
    [`${prefix}_HOST`]: host,
    [`${prefix}_PORT`]: String(port),
    [`${prefix}_PATH`]: pathOf(address),
    [`${prefix}_USERNAME`]: username,
    [`${prefix}_PASSWORD`]: password,
  }
}

/** Reads `LINK_*`: the target's compose environment first, else its image, else `tcp` and the first declared port. */
export function linkAddress(
  alias: string,
  compose: Environment,
  image: Environment,
  firstPort: number,
): LinkAddress {
  const read = (name: string) => compose[`LINK_${name}`] ?? image[`LINK_${name}`]
  const port = Number(read('PORT') ?? firstPort)
  return {
    scheme: read('SCHEME') ?? 'tcp',
    host: alias,
    port: Number.isInteger(port) && port > 0 ? port : firstPort,
    path: read('PATH') ?? '',
    username: read('USERNAME') ?? '',
    password: read('PASSWORD') ?? '',
  }
}

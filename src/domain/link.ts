import type { Environment } from './environment.ts'

/** What a link points at, before it becomes variables. */
export interface LinkAddress {
  scheme: string
  host: string
  port: number
  /** With its leading `/`, or empty. */
  path: string
  username: string
  password: string
}

const encode = encodeURIComponent

/** The seven variables of a link; values are percent-encoded in the URL only. */
export function linkVariables(alias: string, address: LinkAddress): Environment {
  const prefix = alias.toUpperCase().replaceAll('-', '_')
  const { scheme, host, port, username, password } = address
  const path = address.path === '' || address.path.startsWith('/') ? address.path : `/${address.path}`
  const secret = password === '' ? '' : `:${encode(password)}`
  const userinfo = username === '' && password === '' ? '' : `${encode(username)}${secret}@`
  return {
    [`${prefix}_URL`]: `${scheme}://${userinfo}${host}:${port}${path}`,
    [`${prefix}_SCHEME`]: scheme,
    [`${prefix}_HOST`]: host,
    [`${prefix}_PORT`]: String(port),
    [`${prefix}_PATH`]: path,
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

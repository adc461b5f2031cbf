import { RackError } from './error.ts'
import type { LinkAddress } from './link.ts'

/** Where a scheme is served when its URL names no port. */
const schemePorts: Readonly<Record<string, number>> = {
  amqp: 5672,
  amqps: 5671,
  elasticsearch: 9200,
  http: 80,
  https: 443,
  kafka: 9092,
  mariadb: 3306,
  memcached: 11_211,
  mongodb: 27_017,
  'mongodb+srv': 27_017,
  mysql: 3306,
  nats: 4222,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  rediss: 6379,
  smtp: 25,
  smtps: 465,
  valkey: 6379,
}

const longestUrl = 8192

/**
 * Reads the URL of a service that somebody else runs. What is not percent-encoded is taken as it stands where it can
 * only mean one thing: an `@`, a `:`, a `%`, a blank or any letter in the password. No error repeats the URL: it is a secret.
 * @throws invalid
 */
export function parseServiceUrl(text: string): LinkAddress {
  const url = text.trim()
  if (url.length > longestUrl) throw badUrl(`is longer than ${longestUrl} characters`)
  if (hasControls(url)) throw badUrl('holds a line break or another control character')
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)
  if (!scheme) throw badUrl('does not begin with a scheme')
  const rest = url.slice(scheme[0].length)
  const end = rest.search(/[/?#]/)
  const authority = end === -1 ? rest : rest.slice(0, end)
  const tail = end === -1 ? '' : rest.slice(end)
  const name = scheme[1]!.toLowerCase()
  refuseLateAt(name, authority, tail)
  const at = authority.lastIndexOf('@')
  const login = loginOf(authority.slice(0, Math.max(0, at)))
  return { scheme: name, ...placeOf(name, authority.slice(at + 1)), ...login, ...tailOf(tail) }
}

/** A slash, `?` or `#` in a password that is not encoded ends the host early, and the `@` comes too late. */
function refuseLateAt(scheme: string, authority: string, tail: string): void {
  const isPlain = authority.includes('@') || !tail.includes('@')
  const port = /:([^:]*)$/.exec(authority)?.[1]
  // A page may well have an @ in its path; of a database, it is the end of a password.
  const isPage = /^https?$/.test(scheme) && (port === undefined || /^\d+$/.test(port))
  if (isPlain || isPage) return
  throw badUrl('has an @ behind a /, ? or #, so that nobody knows where its host begins')
}

function placeOf(scheme: string, hosts: string): Pick<LinkAddress, 'host' | 'port' | 'authority'> {
  const [first = ''] = hosts.split(',')
  const parts = /^(\[[0-9a-f:.%]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(first)
  if (!parts) throw badUrl('names no host, or one that cannot be')
  const port = parts[2] === undefined ? schemePorts[scheme] : Number(parts[2])
  if (port === undefined) throw badUrl(`names no port, and ${scheme} has none that everybody knows`)
  if (port < 1 || port > 65_535) throw badUrl('names a port that cannot be: 1 to 65535')
  const host = parts[1]!.replace(/^\[|\]$/g, '')
  // One host and port are made of them again; several hosts, a port that goes without saying or brackets stay as they are.
  return { host, port, ...(hosts !== `${host}:${port}` && { authority: hosts }) }
}

function loginOf(userinfo: string): Pick<LinkAddress, 'username' | 'password'> {
  const colon = userinfo.indexOf(':')
  const [username, password] =
    colon === -1 ? [userinfo, ''] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)]
  return { username: decodeOctets(username), password: decodeOctets(password) }
}

function tailOf(tail: string): Pick<LinkAddress, 'path' | 'query'> {
  const end = tail.search(/[?#]/)
  if (end === -1) return { path: tail }
  return { path: tail.slice(0, end), query: tail.slice(end) }
}

/** A `%` that begins no octet, or octets that are no text, stand for themselves. */
export function decodeOctets(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (octets) => {
    try {
      return decodeURIComponent(octets)
    } catch {
      return octets
    }
  })
}

function hasControls(text: string): boolean {
  return Array.from(text).some((letter) => letter < ' ' || letter === '\u007f')
}

function badUrl(why: string): RackError {
  return new RackError('invalid', `the URL of the service ${why}`, {
    hint: 'Write it as scheme://user:password@host:port/path; in a name or a password / is %2F, ? is %3F, # is %23, @ is %40 and % is %25.',
  })
}

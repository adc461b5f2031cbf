import { isIP } from 'node:net'
import { shareHost, shareProbe } from '../domain/share.ts'
import type { RouterShares } from '../domain/router-load.ts'
import { hostAndPort } from '../lib/host-and-port.ts'
import { shortHash } from '../lib/short-hash.ts'
import { bindLine } from './listeners.ts'
import { inLines, quote, section } from './haproxy-syntax.ts'
import { allRoutes, backendName, type RouteTable, type ShareRoute, type Way } from './route-table.ts'
import { wayName } from './share-table.ts'
import { connectionRules, shareRules } from './share-rules.ts'

/** A file whose name carries a hash of its content. */
export interface KeyFile {
  path: string
  text: string
}

/** The files of certificates and keys that a configuration names. */
export class KeyFiles {
  readonly #directory: string
  readonly #files = new Map<string, KeyFile>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The path of a text, in quotes. */
  name(text: string): string {
    const path = `${this.#directory}/share-${shortHash(text)}.pem`
    this.#files.set(path, { path, text })
    return quote(path)
  }

  all(): KeyFile[] {
    return [...this.#files.values()]
  }
}

/** Databases keep connections open that say nothing for long; one whose other end is gone is found by the kernel. */
const idle = '24h'
/** Before it is known that the other rack does not answer, its callers wait so long. */
const connectMs = 4000
/** Who comes in says soon who it is; from then on the time of what it came to counts. */
const handshakeMs = 10_000
const checkMs = 2000
const resolvers = 'rack-names'
/** A name that a name server does not know any more leads where it led. */
const holdDays = 20

/**
 * Where other racks come in: by a certificate that the rack's authority has signed and not taken back, to the share
 * that it was made for and that is asked for by its name.
 */
export function renderEntrance(table: RouteTable, shares: RouterShares, keys: KeyFiles): string[] {
  const { entrance } = table
  if (!entrance) return []
  const { bind, port, certificate, authority, revoked } = entrance
  const routes = allRoutes(table).filter((route) => route.kind === 'share')
  const files = [
    `crt ${keys.name(certificate)}`,
    `ca-file ${keys.name(authority)}`,
    `crl-file ${keys.name(revoked)}`,
  ]
  const tls = `ssl ${files.join(' ')} verify required ssl-min-ver TLSv1.3 no-tls-tickets`
  return [
    section('frontend shares', [
      'mode tcp',
      `${bindLine(bind, port)} ${tls}`,
      `timeout client ${handshakeMs}ms`,
      'option clitcpka',
      ...strangerRules(routes.map(({ route }) => route)),
      ...connectionRules(shares, { hasTrustedProxies: false, endsTls: true }),
      ...routes.flatMap(({ route }) => admissionRules(route)),
      'tcp-request content reject',
      ...routes.map(
        (each) => `use_backend ${backendName(each)} if { ssl_fc_sni -m str ${shareHost(each.route.id)} }`,
      ),
    ]),
  ]
}

/** Who may come in to nothing is turned away before it is talked to. */
function strangerRules(routes: ShareRoute[]): string[] {
  if (routes.length === 0 || routes.some(({ allow }) => allow.length === 0)) return []
  const allowed = [...new Set(routes.flatMap(({ allow }) => allow))].sort()
  return [
    ...inLines(allowed).map((some) => `acl from-anywhere-allowed src ${some}`),
    'tcp-request connection reject unless from-anywhere-allowed',
  ]
}

function admissionRules({ id, allow }: ShareRoute): string[] {
  const conditions = [
    `{ ssl_fc_sni -m str ${shareHost(id)} }`,
    `{ ssl_c_s_dn(CN) -m str ${shareHost(id)} }`,
    ...(allow.length > 0 ? [`from-${id}`] : []),
  ]
  return [
    ...inLines(allow).map((some) => `acl from-${id} src ${some}`),
    `tcp-request content accept if ${conditions.join(' ')}`,
  ]
}

/** From the addresses that stand for services of other racks to those racks. */
export function renderWays({ ways = [] }: RouteTable, shares: RouterShares, keys: KeyFiles): string[] {
  const isLookedUp = ways.some(({ end }) => mayMove(end.host))
  return [
    ...(isLookedUp ? [renderResolvers()] : []),
    ...ways.flatMap((way) => [renderWayIn(way, shares), renderWayOut(way, shares, keys)]),
  ]
}

function renderResolvers(): string {
  const reasons = ['nx', 'other', 'refused', 'timeout', 'obsolete']
  return section(`resolvers ${resolvers}`, [
    'parse-resolv-conf',
    ...reasons.map((reason) => `hold ${reason} ${holdDays}d`),
  ])
}

function renderWayIn(way: Way, shares: RouterShares): string {
  const name = wayName(way)
  return section(`frontend ${name}`, [
    'mode tcp',
    // No interface has the address, and one that could not be had would keep every app down.
    `bind ${way.address}:${way.port} transparent`,
    `timeout client ${idle}`,
    'option clitcpka',
    `tcp-request connection reject unless { src ${way.subnet} }`,
    `tcp-request connection reject if { nbsrv(${name}) eq 0 }`,
    ...connectionRules(shares, { hasTrustedProxies: false, endsTls: false }),
    `default_backend ${name}`,
  ])
}

function renderWayOut(way: Way, shares: RouterShares, keys: KeyFiles): string {
  const { host, port, authority, certificate, id } = way.end
  const tls = [
    `ssl verify required ca-file ${keys.name(authority)} crt ${keys.name(certificate)}`,
    `sni str(${shareHost(id)}) ssl-min-ver TLSv1.3 no-ssl-reuse`,
  ]
  const check = `check check-ssl check-sni ${shareProbe} inter 2s fastinter 500ms fall 2 rise 1`
  return section(`backend ${wayName(way)}`, [
    'mode tcp',
    `timeout server ${idle}`,
    `timeout tunnel ${idle}`,
    `timeout connect ${connectMs}ms`,
    `timeout check ${checkMs}ms`,
    'option srvtcpka',
    'retries 0',
    ...shareRules('tcp', way.owner, shares),
    // Whoever has a connection to a rack that is away is told by its end.
    `server rack ${placeOf(host, port)} ${tls.join(' ')} ${check} on-marked-down shutdown-sessions`,
  ])
}

function placeOf(host: string, port: number): string {
  const place = hostAndPort(host, port)
  if (isIP(host)) return place
  // A name that is not known now must not keep the router down.
  return `${place} init-addr libc,none${mayMove(host) ? ` resolvers ${resolvers}` : ''}`
}

/** Whether name servers are asked where a host is: those of this machine alone know the others. */
function mayMove(host: string): boolean {
  return isIP(host) === 0 && host.includes('.')
}

import type { RouterShares } from '../domain/router-load.ts'
import { plainText } from './haproxy-syntax.ts'

const totalTable = 'rack-total'
const sourcesTable = 'rack-sources'
/** What each app has under way, by its name; the Runtime API shows it. */
export const appsTable = 'rack-apps'

// Counts are kept of who has something open; the rest of a table is forgotten soon.
const byAddress = 'type ipv6 size 100k expire 1m store conn_cur'

const tooManyOfAddress = `Too many requests of your address are under way; try again in a moment.`
const tooManyOfApp = `Too many requests to this app are under way; try again in a moment.`

/** The sections of the tables in which open connections and requests are counted. */
export function shareTables(): [title: string, lines: string[]][] {
  return [
    [`backend ${totalTable}`, ['stick-table type string len 4 size 1 expire 1m store conn_cur']],
    [`backend ${appsTable}`, ['stick-table type string len 40 size 10k expire 1m store conn_cur']],
    [`backend ${sourcesTable}`, [`stick-table ${byAddress}`]],
  ]
}

/**
 * Lines of a frontend that close connections of an address that has too many. An address behind a trusted proxy is
 * known only by its requests: the proxy has as many connections as it likes.
 */
export function connectionRules(
  shares: RouterShares,
  { hasTrustedProxies, endsTls }: { hasTrustedProxies: boolean; endsTls: boolean },
): string[] {
  const rules = (at: 'connection' | 'session') => sourceShare(`tcp-request ${at}`, shares, hasTrustedProxies)
  // A session begins when TLS is through: who never gets so far is counted as it comes. What a replaced worker hands over
  // is known by its address only then.
  return [...(endsTls ? rules('connection') : []), ...rules('session')]
}

function sourceShare(
  rule: string,
  { source, crowded, smallSource }: RouterShares,
  hasTrustedProxies: boolean,
): string[] {
  return [
    ...trackSource(`${rule} track-sc0`, ` table ${sourcesTable}`, hasTrustedProxies),
    `${rule} reject if { sc0_conn_cur gt ${source} }`,
    `${rule} reject if { fe_conn gt ${crowded} } { sc0_conn_cur gt ${smallSource} }`,
  ]
}

/**
 * Lines of an app's backend that refuse what is beyond its share, or beyond its visitor's. The counters of a request
 * are others than those of its connection, though they have the same numbers.
 */
export function shareRules(kind: 'http' | 'tcp', app: string, shares: RouterShares): string[] {
  const rule = kind === 'http' ? 'http-request' : 'tcp-request content'
  // A connection that stayed open would count against its address.
  const refuse = (status: number, text: string) =>
    kind === 'http'
      ? `${rule} deny status ${status} ${plainText(text)} hdr Retry-After 1 hdr Connection close`
      : `${rule} reject`
  const { sourceAtApp, smallSource, crowded, smallApp } = shares
  const isCrowded = `{ sc0_conn_cur gt ${crowded} }`
  const ofAddress = refuse(429, tooManyOfAddress)
  const ofApp = refuse(503, tooManyOfApp)
  return [
    `stick-table ${byAddress}`,
    `${rule} track-sc0 str(all) table ${totalTable}`,
    ...trackSource(`${rule} track-sc1`),
    `${rule} track-sc2 str(${app}) table ${appsTable}`,
    `${ofAddress} if { sc1_conn_cur gt ${sourceAtApp} }`,
    `${ofAddress} if ${isCrowded} { sc1_conn_cur gt ${smallSource} }`,
    `${ofApp} if { sc2_conn_cur gt ${shares.app} }`,
    `${ofApp} if ${isCrowded} { sc2_conn_cur gt ${smallApp} }`,
  ]
}

/** Lines of a backend that is no app's: of one address no more than this is under way. */
export function sourceRules(most: number): string[] {
  return [
    `stick-table ${byAddress}`,
    ...trackSource('http-request track-sc1'),
    `http-request deny status 429 ${plainText(tooManyOfAddress)} hdr Retry-After 1 hdr Connection close if { sc1_conn_cur gt ${most} }`,
  ]
}

/** Who has one address of IPv6 has the 2^64 around it. An address of IPv4 may be written as one of IPv6. */
function trackSource(track: string, table = '', exceptProxies = false): string[] {
  const others = exceptProxies ? ' !from-trusted-proxy' : ''
  return [
    `${track} src${table} if { src 0.0.0.0/0 }${others}`,
    `${track} src,ipmask(32,64)${table} if !{ src 0.0.0.0/0 }${others}`,
  ]
}

import { section } from './haproxy-syntax.ts'
import { sourceRules } from './share-rules.ts'

/** Where the router leads those who ask for the rack itself, by TLS alone. */
export interface ApiRoute {
  /** The rack's own host name. */
  host: string
}

/** Of the router's directory, in which HAProxy runs: the account that serves may not look into the directories above. */
export const apiSocketName = 'api.sock'
/** In which the daemon reads who calls; nobody else can write it, since it is written over. */
const clientHeader = 'X-Rack-Client'
const backend = 'rack-api'
/** Under way at once: of all, and of one address, which has room for a `rack proxy` beside the rest. */
const [most, mostOfOne] = [384, 256]
/**
 * A stream says something every 15 s; what is silent for longer is an upload that waits for the other side, or a backup
 * of the rack while the engine writes down images: its client gives up before, after half an hour.
 */
const silentMs = 31 * 60_000

const silent = {
  type: 'urn:rack:error:unreachable',
  title: 'The rack does not answer.',
  status: 503,
  code: 'unreachable',
  detail: 'the daemon of this rack does not run; its apps are served',
  hint: 'On its machine: rack start',
  requestId: '',
}

/** Lines of the frontend of TLS, before names are looked for. */
export function apiRules({ host }: ApiRoute): string[] {
  return [`use_backend ${backend} if { req.fhdr(host),host_only -m str ${host} }`]
}

/** Without a kept connection: a daemon that ends takes none along in which another caller's request could be. */
export function renderApi(): string {
  return section(`backend ${backend}`, [
    'mode http',
    `timeout server ${silentMs}ms`,
    'timeout tunnel 3600000ms',
    // One that is not there is told of at once.
    'retries 0',
    ...sourceRules(mostOfOne),
    `http-request set-header ${clientHeader} %[src]`,
    `http-error status 503 content-type application/problem+json string '${JSON.stringify(silent)}'`,
    `server daemon unix@${apiSocketName} maxconn ${most} pool-max-conn 0`,
  ])
}

import type { FastifyRequest } from 'fastify'
import { isIP } from 'node:net'
import { RackError } from '../domain/error.ts'
import type { Login } from '../domain/caller.ts'
import type { Door } from '../operations/door.ts'
import type { Access } from './face.ts'
import { addressOf, frontOf } from './routed.ts'
import { isLocal, type FailedLogins } from './failed-logins.ts'

/**
 * Refuses names by which a foreign page could reach the rack through the browser of someone near it: only addresses
 * and `localhost` cannot be pointed elsewhere. By the router it is the rack's own name alone, for which it has a
 * certificate; so it is by a balancer, which asks by an address whether somebody is there. A page's own request carries
 * an origin, and none is ours.
 * @throws forbidden
 */
export function checkHost({ headers, raw: { socket } }: FastifyRequest, ownHost: string | null): void {
  const host = headers.host ?? ''
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  const front = frontOf(socket)
  const isAddress = isIP(name) !== 0
  const isOurs =
    front === null
      ? isAddress || name === 'localhost'
      : name === ownHost || (front === 'balancer' && isAddress)
  if (!isOurs) {
    throw new RackError('forbidden', `this rack does not answer to the name "${name}"`, {
      hint: 'Use its address, or localhost.',
    })
  }
  if (headers.origin !== undefined && URL.parse(headers.origin)?.host !== host) {
    throw new RackError('forbidden', `pages of ${headers.origin} may not call this rack`)
  }
}

/**
 * Who calls, by the token that the face has read; null where anyone may. What the verb would refuse is refused here,
 * before anything of the request is read.
 * @throws unauthorized, too-many-logins, forbidden
 */
export async function authorize(
  { door, failedLogins }: { door: Door; failedLogins: FailedLogins },
  access: Access,
  request: FastifyRequest,
  token: string | null,
): Promise<Login | null> {
  if (access === 'anyone') return null
  if (token === null) {
    throw new RackError('unauthorized', 'this rack wants a token', { hint: 'rack login URL' })
  }
  const address = addressOf(request)
  const known = await logIn(door, failedLogins, address, token)
  const origin = { source: address?.replace(/^::ffff:/, '') ?? socketUser(request), request: request.id }
  const login = { ...known, caller: { ...known.caller, origin } }
  if (access !== 'callers') await door.check(login.caller, access, appOf(request))
  return login
}

/** Who has come by ssh to the rack's socket says so; nobody vouches for the name. */
function socketUser({ headers }: FastifyRequest): string {
  const named = headers['x-rack-ssh']
  const isPlain = typeof named === 'string' && /^[\w.@:%+-]{1,100}$/.test(named)
  return isPlain ? `ssh ${named} (as claimed)` : 'socket'
}

/** Who tries many wrong tokens waits; but whoever is on this machine and has a good one does not wait for others. */
async function logIn(
  door: Door,
  failedLogins: FailedLogins,
  address: string | undefined,
  token: string,
): Promise<Login> {
  const waitMs = failedLogins.waitMs(address, performance.now())
  if (waitMs > 0 && !isLocal(address)) throw tooMany(waitMs)
  const login = await door.authenticate(token)
  if (login) return login
  if (waitMs > 0) throw tooMany(waitMs)
  failedLogins.failed(address, performance.now())
  throw new RackError('unauthorized', 'this rack does not know the token', { hint: 'rack login URL' })
}

function tooMany(waitMs: number): RackError {
  const seconds = Math.ceil(waitMs / 1000)
  return new RackError('too-many-logins', 'too many wrong tokens came from there', {
    hint: `Try again in ${seconds} s, with a good one: rack login URL`,
    details: { retryAfterSeconds: seconds },
  })
}

/** The app that the address names; a verb that is given its app otherwise is refused when it is called. */
function appOf({ params }: FastifyRequest): string | null {
  const { app } = (params ?? {}) as { app?: string }
  return app ?? null
}

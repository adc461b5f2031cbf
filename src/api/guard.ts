import type { FastifyRequest } from 'fastify'
import { isIP } from 'node:net'
import type { Op } from '../client/contract/op.ts'
import { RackError } from '../domain/error.ts'
import type { Operations } from '../operations/operations.ts'

/**
 * Refuses names by which a foreign page could reach the rack through the browser of someone near it: only addresses
 * and `localhost` cannot be pointed elsewhere. A page's own request carries an origin, and none is ours.
 * @throws forbidden
 */
export function checkHost({ headers }: FastifyRequest): void {
  const host = headers.host ?? ''
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (isIP(name) === 0 && name !== 'localhost') {
    throw new RackError('forbidden', `this rack does not answer to the name "${name}"`, {
      hint: 'Use its address, or localhost.',
    })
  }
  if (headers.origin !== undefined && URL.parse(headers.origin)?.host !== host) {
    throw new RackError('forbidden', `pages of ${headers.origin} may not call this rack`)
  }
}

/**
 * Resolves to the name of the token; null where the route wants none.
 * @throws unauthorized, forbidden
 */
export async function authorize(
  operations: Operations,
  operation: Op,
  header: string | undefined,
): Promise<string | null> {
  if (operation.permission === null) return null
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? '')?.[1]
  const caller = token === undefined ? null : await operations.authenticate(token)
  if (!caller) {
    const message = token === undefined ? 'this rack wants a token' : 'this rack does not know the token'
    throw new RackError('unauthorized', message, { hint: 'rack login URL' })
  }
  if (operation.permission === 'write' && caller.permission !== 'write') {
    throw new RackError('forbidden', `the token "${caller.name}" may only read`, {
      hint: 'Use a token with the permission to write: rack login URL',
    })
  }
  return caller.name
}

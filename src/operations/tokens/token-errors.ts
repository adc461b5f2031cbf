import { RackError } from '../../domain/error.ts'
import type { Token } from '../../domain/token.ts'

const anew = 'Ask for another of who administers the rack: rack tokens create NAME; then: rack login URL'

export function revoked({ name }: Token): RackError {
  return new RackError('unauthorized', `the token "${name}" was revoked`, { hint: anew })
}

export function expired({ name, expires }: Token): RackError {
  return new RackError('unauthorized', `the token "${name}" was good until ${expires}`, { hint: anew })
}

/** For one that a later version of Rack has made, before this one was gone back to. */
export function unknownRole({ name, role }: Token): RackError {
  const message = `the token "${name}" has a role that this version of Rack does not know: ${role}`
  return new RackError('unauthorized', message, { hint: anew })
}

export function nameTaken(name: string): RackError {
  return new RackError('exists', `there is a token "${name}" already`, {
    hint: `Take another name, or first: rack tokens revoke ${name}`,
  })
}

export function unknownName(name: string): RackError {
  return new RackError('not-found', `there is no token "${name}"`, { hint: 'See them with: rack tokens' })
}

export function lastOne(name: string): RackError {
  return new RackError('conflict', `"${name}" is the last token that may administer this rack`, {
    hint: 'Make another first: rack tokens create NAME --role admin',
  })
}

import { appNamePattern } from './app.ts'
import { RackError } from './error.ts'

/** What tokens may do; each may do what those before it may. */
export const roles = ['metrics', 'read', 'deploy', 'admin'] as const

export type Role = (typeof roles)[number]

/** What each role is for, in a sentence that goes on from its name. */
export const roleMeanings: Record<Role, string> = {
  metrics: 'reads GET /metrics, and nothing else',
  read: 'sees states, lists, logs and manifests; no secret, no change, nothing inside a container',
  deploy: 'builds, promotes, sets the environment, runs, executes, scales and links',
  admin: 'does the rest too: deletes, services, policy, tokens, the rack itself',
}

/** That somebody may call the rack. What they hold is kept as a hash only. */
export interface Token {
  name: string
  /** One of `roles`, or one of a later version, which this one has gone back from: that may do nothing. */
  role: string
  /** Those that it may see and change; null for all, and for the rack itself. */
  apps: string[] | null
  created: string
  /** From when on it is good no more; null for never. */
  expires: string | null
  /** To a minute. */
  lastUsed: string | null
}

export interface NewToken {
  name: string
  role: Role
  apps: string[] | null
  /** Counted by the rack's clock; null for no end. */
  lifetimeMs: number | null
}

/** The one time that a token is shown. */
export interface MadeToken extends Token {
  token: string
}

export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text)
}

export function mayDo(role: Role, wanted: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(wanted)
}

export function hasExpired({ expires }: Pick<Token, 'expires'>, now: Date): boolean {
  return expires !== null && Date.parse(expires) <= now.getTime()
}

/** What the rack is called where it acts by itself. */
export const ownName = 'rack'

/** Of every token, so that one is known for what it is where it should not be. */
export const tokenPrefix = 'rack_'

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,62}$/
const shortestLifeMs = 1000
const longestLifeMs = 10 * 365 * 24 * 3600 * 1000

/** @throws invalid for a name, an app's name or a time that cannot be */
export function checkNewToken({ name, apps, lifetimeMs }: NewToken): void {
  if (!namePattern.test(name)) {
    throw new RackError('invalid', `"${name}" cannot be a token's name`, {
      hint: 'Use up to 63 letters, digits, dots, dashes, underscores and @, a letter or digit first.',
    })
  }
  if (name === ownName) {
    throw new RackError('invalid', `"${name}" is what the rack itself is called in the audit`, {
      hint: 'Take another name.',
    })
  }
  const wrong = (apps ?? []).find((app) => !appNamePattern.test(app))
  if (wrong !== undefined) {
    throw new RackError('invalid', `"${wrong}" cannot be an app's name`, { hint: 'See them with: rack apps' })
  }
  if (apps?.length === 0) {
    throw new RackError('invalid', 'a token of no app may do nothing', { hint: 'Name one: --app NAME' })
  }
  if (lifetimeMs !== null && (lifetimeMs < shortestLifeMs || lifetimeMs > longestLifeMs)) {
    throw new RackError('invalid', 'a token lives from a second to ten years', {
      hint: 'For example: --expires 30d',
    })
  }
}

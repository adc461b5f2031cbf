import { RackError } from './error.ts'
import type { NameState } from './name-state.ts'

/** A name of somebody's own, by which a process of an app is reached from outside. */
export interface Domain {
  /** As it is asked for: lower-case, without a final dot, `xn--` where it has other letters; `*.example.com` is any one name below. */
  name: string
  app: string
  /** Null is the app's only HTTP process, or `web`. */
  process: string | null
  since: string
}

/** With what has become of its certificate, where an account has one for it. */
export interface ToldDomain extends Domain {
  certificate?: Omit<NameState, 'name'>
  /**
   * In an account, the host of the load balancer to which its DNS has to lead; absent where the rack sees to that, and
   * before the app is live.
   */
  balancer?: string
}

/** Where the router has the domains, as they are now. */
export interface DomainSource {
  current(): readonly Domain[]
}

const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

/**
 * A domain as the router is asked for it, however it was written.
 * @throws invalid for what is none
 */
export function readDomain(text: string): string {
  const trimmed = text.trim().toLowerCase().replace(/\.$/, '')
  const isWildcard = trimmed.startsWith('*.')
  const name = asciiOf(isWildcard ? trimmed.slice(2) : trimmed)
  const labels = name?.split('.') ?? []
  const isName =
    labels.length >= 2 && labels.every((each) => label.test(each)) && !/^\d+$/.test(labels.at(-1)!)
  if (name === null || !isName || name.length > 250) {
    throw new RackError('invalid', `"${text}" is no domain`, {
      hint: 'It looks like shop.example.com, or *.example.com for all names below; without https://, port or path',
    })
  }
  return isWildcard ? `*.${name}` : name
}

/** The form in which names of all scripts travel; null for what cannot be one. */
function asciiOf(name: string): string | null {
  if (!/^[\p{L}\p{M}\p{N}._-]+$/u.test(name)) return null
  if (/^[a-z0-9._-]+$/.test(name)) return name
  return URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : null
}

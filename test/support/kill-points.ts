import type { Runtime } from '../../src/rollout/runtime.ts'

/** What a call to a dead daemon's engine ends with: no code of ours, so nothing treats it as a failure of its own. */
export class Died extends Error {
  constructor() {
    super('the daemon died here')
  }
}

export interface KillPoint {
  /** The call, counted from 0, at which it dies. */
  at: number
  /** Before the call does anything, or when it has done all and nobody hears of it. */
  when: 'before' | 'after'
}

export interface Dying<T> {
  it: T
  /** Each call that was made, in order. */
  calls: string[]
  hasDied: () => boolean
}

/** The same thing, but from one call on every call fails, as those of a killed program never return. */
export function dyingAt<T extends object>(thing: T, point: KillPoint | null, calls: string[] = []): Dying<T> {
  let isDead = false
  const it = new Proxy(thing, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || typeof name !== 'string' || name === 'identify') return value
      return async (...args: unknown[]): Promise<unknown> => {
        if (isDead) throw new Died()
        const number = calls.length
        calls.push(name)
        const isHere = point?.at === number
        if (isHere && point.when === 'before') isDead = true
        if (isDead) throw new Died()
        const result: unknown = await (value as (...given: unknown[]) => unknown).apply(target, args)
        if (isHere) isDead = true
        // What others have begun at the same time comes to its end in the world, and nobody hears of it.
        if (isDead) throw new Died()
        return result
      }
    },
  })
  return { it, calls, hasDied: () => isDead }
}

/** Looked at only, so dying there differs from dying before the next one in nothing. */
const looks: ReadonlySet<keyof Runtime> = new Set(['find', 'probe', 'ended', 'check', 'lastLines'])

/** Every point at which a run of these calls may die. */
export function killPoints(calls: string[]): KillPoint[] {
  return calls.flatMap((name, at): KillPoint[] =>
    looks.has(name as keyof Runtime)
      ? [{ at, when: 'before' }]
      : [
          { at, when: 'before' },
          { at, when: 'after' },
        ],
  )
}

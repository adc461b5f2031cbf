import type { Control } from '../../domain/control.ts'
import { codeOf, knownError } from '../../domain/error.ts'
import type { Context } from '../context.ts'

/** Steps of a recovery: one that fails is logged and keeps no other from being tried. */
export interface Attempts {
  /** Never rejects. */
  run(what: string, step: () => Promise<unknown>): Promise<void>
  haveAllSucceeded(): boolean
}

export function createAttempts({ log }: Pick<Context, 'log'>, { signal }: Control): Attempts {
  let isWell = true
  return {
    async run(what, step) {
      try {
        await step()
      } catch (error) {
        isWell = false
        // What ends because all ends is no news.
        if (signal.aborted) return
        log('error', `${what} failed`, { code: codeOf(error), reason: knownError(error).message })
      }
    },
    haveAllSucceeded: () => isWell,
  }
}

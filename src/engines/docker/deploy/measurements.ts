import type { Control } from '../../../domain/control.ts'
import type { Counts } from '../../../domain/deployment.ts'
import { abortable } from '../../../lib/deadline.ts'
import { unknownCounts } from '../../../rollout/receipt.ts'

/** Counts that are complete when the last old copy of a deploy has gone. */
export interface Measurements {
  add(operation: string, counts: Promise<Counts>): void
  /** What this daemon does not know, because another one began it, is not known. */
  read(operation: string, control: Pick<Control, 'signal'>): Promise<Counts>
}

/** Nobody may ever ask: no more than this are kept. */
const mostKept = 200

export function createMeasurements(onTrouble: (error: unknown) => void): Measurements {
  const kept = new Map<string, Promise<Counts>>()
  return {
    add(operation, counts) {
      const safe = counts.catch((error: unknown) => {
        onTrouble(error)
        return unknownCounts
      })
      kept.set(operation, safe)
      const [oldest] = kept.keys()
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    },
    async read(operation, { signal }) {
      return await abortable(kept.get(operation) ?? Promise.resolve(unknownCounts), signal)
    },
  }
}

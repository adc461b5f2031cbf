import type { Counts, Receipt, TraceEntry } from '../domain/deployment.ts'
import { progressOf } from './progress.ts'
import type { RolloutState } from './state.ts'
import type { Target } from './target.ts'

export const unknownCounts: Counts = { requests: null, failed: null, longestStallMs: null, held: null }

/** Types that a rollout starts, replaces and keeps, from what was there when it began. */
function namesOf(begun: RolloutState, target: Target): Pick<Receipt, 'started' | 'replaced' | 'kept'> {
  const types = target.types.map((type) => {
    const { ready, passed, unproved, down, old } = progressOf(type, begun, target)
    const staying = ready.length + passed.length + unproved.length + down.length
    return { name: type.plan.type, isKept: staying > 0 || type.plan.count === 0, hadOthers: old.length > 0 }
  })
  const fresh = types.filter(({ isKept }) => !isKept)
  const namesOfAll = (some: { name: string }[]) => some.map(({ name }) => name)
  return {
    started: namesOfAll(fresh.filter(({ hadOthers }) => !hadOthers)),
    replaced: namesOfAll(fresh.filter(({ hadOthers }) => hadOthers)),
    kept: namesOfAll(types.filter(({ isKept }) => isKept)),
  }
}

/** What a rollout says when traffic has moved; an engine that counts adds by what to ask for the counts. */
export function receiptOf(
  begun: RolloutState,
  settled: RolloutState,
  target: Target,
  trace: TraceEntry[],
): Receipt {
  const wasThere = new Set(begun.copies.filter(({ mark }) => mark === 'draining').map((copy) => copy.process))
  const draining = settled.copies.filter(
    ({ mark, process: processId }) => mark === 'draining' && !wasThere.has(processId),
  )
  return {
    ...unknownCounts,
    ...namesOf(begun, target),
    draining: draining.map((copy) => copy.process),
    measurement: null,
    trace,
  }
}

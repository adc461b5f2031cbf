import { missingOf, surgeOf } from '../domain/admission.ts'
import { stopsFirst } from '../domain/overlap.ts'
import { isUp, staffOf, type TypeProgress } from './progress.ts'
import type { ObservedCopy } from './runtime.ts'

/** One step of a roll: old copies that stop before new ones start. */
export interface Wave {
  park: ObservedCopy[]
  start: number
}

/** The next wave of a type, so that no more than the surge run beside the copies that there were. */
export function waveOf(progress: TypeProgress): Wave {
  const { target, ready, down, missing, old } = progress
  const { plan } = target
  const lacking = down.length + missing
  const up = old.filter(isUp)
  if (up.length === 0) return { park: [], start: lacking }
  if (stopsFirst(plan, staffOf(progress))) return { park: up, start: lacking }
  // What was admitted; nobody asks for what is brought back, or goes on as the percentages say.
  const { held, beside } = target.surge ?? { held: Math.max(plan.count, old.length), beside: surgeOf(plan) }
  // Without a surge as many stop first as may be missing: one at least, or nothing would ever change.
  const start = Math.min(beside > 0 ? beside : Math.max(1, missingOf(plan)), lacking)
  const limit = held + beside
  const tooMany = ready.length + up.length + start - limit
  return { park: up.slice(0, Math.max(0, tooMany)), start }
}

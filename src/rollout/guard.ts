import type { Control } from '../domain/control.ts'
import { pause } from '../lib/poll.ts'
import type { CopyEnd, ObservedCopy, Runtime } from './runtime.ts'

/** A copy that has just come through its gate, while it is watched. */
export interface Guard {
  /** Null when the time is over; the copy's end when it came before. Rejects when the signal ends. */
  outcome: Promise<CopyEnd | null>
}

/** Watches a copy from now on; it is over by itself, or with the signal. */
export function guardCopy(
  runtime: Runtime,
  copy: ObservedCopy,
  watchMs: number,
  { signal, report }: Control,
): Guard {
  const over = new AbortController()
  const until = { signal: AbortSignal.any([signal, over.signal]), report }
  const outcome = Promise.race([
    pause(watchMs, until.signal).then(() => null),
    runtime.ended(copy, until),
  ]).finally(() => over.abort())
  // Nobody may have come so far as to ask.
  outcome.catch(() => undefined)
  return { outcome }
}

import type { LogCursor, LogEvent } from './log-events.ts'

/** What a reader of one log has had: lines come late, so that the last seconds are read again and again. */
export interface SeenEvents {
  /** From when on there may be more. */
  fromMs(): number
  /** Those that were not there before. */
  fresh(events: LogEvent[]): LogEvent[]
}

/** Lines are there a few seconds after they were printed; what comes later than that is lost to who follows. */
const overlapMs = 10_000

/** @param after all up to this line, and all at its instant before it, was had by an earlier reader */
export function createSeenEvents(sinceMs: number, after: LogCursor | null): SeenEvents {
  const seen = new Map<string, number>()
  let newestMs = 0
  let passing = after
  const floorMs = Math.max(sinceMs, after?.timeMs ?? 0)
  const isPassed = ({ id, timeMs }: LogEvent) => {
    if (!passing) return false
    if (id === passing.id) {
      passing = null
      return true
    }
    return timeMs <= passing.timeMs
  }
  const forget = () => {
    for (const [id, timeMs] of seen) if (timeMs < newestMs - overlapMs) seen.delete(id)
  }
  return {
    fromMs: () => Math.max(floorMs, newestMs - overlapMs),
    fresh(events) {
      const fresh = events.filter((event) => !seen.has(event.id) && !isPassed(event))
      for (const { id, timeMs } of events) {
        seen.set(id, timeMs)
        newestMs = Math.max(newestMs, timeMs)
      }
      forget()
      return fresh
    },
  }
}

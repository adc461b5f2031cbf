import type { Frame } from './frame.ts'

/** Messages in their order: each comes at least once, and may come late or again. */
export interface Sequence {
  /** Those that are next now, oldest first; none for one that was there before. */
  take(frame: Frame): Frame[]
}

/** How far ahead of its turn a message may come; what is later comes again. */
const furthest = 1000

export function createSequence(): Sequence {
  const early = new Map<number, Frame>()
  let next = 0
  return {
    take(frame) {
      if (frame.sequence < next || frame.sequence > next + furthest) return []
      early.set(frame.sequence, frame)
      const due: Frame[] = []
      for (let found = early.get(next); found; found = early.get(next)) {
        early.delete(next)
        due.push(found)
        next++
      }
      return due
    },
  }
}

/** What was sent and not acknowledged yet. */
export interface Unacknowledged {
  count(): number
  add(sequence: number, bytes: Buffer, nowMs: number): void
  acknowledge(sequence: number): void
  /** What has waited so long that it is sent again; it counts as sent now. */
  due(nowMs: number, afterMs: number): Buffer[]
}

export function createUnacknowledged(): Unacknowledged {
  const waiting = new Map<number, { bytes: Buffer; sentMs: number }>()
  return {
    count: () => waiting.size,
    add: (sequence, bytes, sentMs) => void waiting.set(sequence, { bytes, sentMs }),
    acknowledge: (sequence) => void waiting.delete(sequence),
    due(nowMs, afterMs) {
      const late = [...waiting.values()].filter(({ sentMs }) => nowMs - sentMs >= afterMs)
      for (const one of late) one.sentMs = nowMs
      return late.map(({ bytes }) => bytes)
    },
  }
}

/** When a type was healed last, and how long it is left alone since. */
export interface HealTurn {
  atMs: number
  gapMs: number
}

/** How long after it was healed a type is left alone; twice as long after each further time. */
export const shortestHealGapMs = 2000
/** One that is lost again and again, or cannot be brought back, is tried so seldom. */
export const longestHealGapMs = 300_000
/** Longer than any gap: a type that was well for so long begins anew. */
export const wellMs = 600_000

/** The turn of a type that is healed now. */
export function takeTurn(before: HealTurn | undefined, nowMs: number): HealTurn {
  const isNew = !before || nowMs - before.atMs - before.gapMs >= wellMs
  const gapMs = isNew ? shortestHealGapMs : Math.min(longestHealGapMs, 2 * before.gapMs)
  return { atMs: nowMs, gapMs }
}

/** When a type may be healed again; at once when it never was. */
export function dueMs(turn: HealTurn | undefined): number {
  return turn ? turn.atMs + turn.gapMs : -Infinity
}

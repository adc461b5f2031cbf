/** So many lines in a period; those beyond are counted. */
export interface LineQuota {
  /**
   * Asks for one more line at a time, ms on any clock.
   * @returns how many were left out since the line before it; null when this one is to be left out
   */
  take(nowMs: number): number | null
}

/** Bounds what others make a log say. */
export function createLineQuota({ lines, periodMs }: { lines: number; periodMs: number }): LineQuota {
  let periodEndMs = Number.NEGATIVE_INFINITY
  let taken = 0
  let leftOut = 0
  return {
    take(nowMs) {
      if (nowMs >= periodEndMs) {
        periodEndMs = nowMs + periodMs
        taken = 0
      }
      if (taken >= lines) {
        leftOut += 1
        return null
      }
      taken += 1
      const before = leftOut
      leftOut = 0
      return before
    },
  }
}

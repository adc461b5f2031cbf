/** ARNs of tasks that were told to end, for as long as ECS may still list them. */
export interface EndedTasks {
  add(arn: string): void
  has(arn: string): boolean
}

/** A drain lasts an hour at most, and ECS lists what has stopped for about another one (D). */
const rememberedMs = 3 * 3_600_000

/** @param nowMs tells the time; any clock that does not go back */
export function createEndedTasks(nowMs: () => number = () => performance.now()): EndedTasks {
  // In the order in which they were told.
  const toldMs = new Map<string, number>()
  const forget = () => {
    for (const [arn, ms] of toldMs) {
      if (nowMs() - ms < rememberedMs) return
      toldMs.delete(arn)
    }
  }
  return {
    add(arn) {
      forget()
      toldMs.delete(arn)
      toldMs.set(arn, nowMs())
    },
    has: (arn) => toldMs.has(arn),
  }
}

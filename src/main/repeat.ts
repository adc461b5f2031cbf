import { setTimeout as delay } from 'node:timers/promises'
import type { Control } from '../domain/control.ts'

/** What fails again and again is tried so seldom. */
const slowestMs = 5000

/**
 * Of failures that follow each other the first is told, and ever more time lies between them: a rack whose directory was
 * taken away fails for good, and each time costs.
 */
export async function repeatTelling(
  { periodMs, work }: { periodMs: number; work: () => Promise<void> },
  control: Control,
  tell: (error: unknown) => void,
): Promise<void> {
  let failures = 0
  await repeat(periodMs, control, async () => {
    try {
      await work()
      failures = 0
      return periodMs
    } catch (error) {
      if (failures === 0 && !control.signal.aborted) tell(error)
      failures++
      return Math.max(periodMs, Math.min(periodMs * 2 ** (failures - 1), slowestMs))
    }
  })
}

/** @param work may give how long is waited instead, ms */
export async function repeat(
  periodMs: number,
  { signal }: Control,
  work: () => Promise<number | void>,
): Promise<void> {
  while (!signal.aborted) {
    const waitMs = (await work()) ?? periodMs
    await delay(waitMs, undefined, { signal }).catch(() => undefined)
  }
}

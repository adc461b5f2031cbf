import { until } from '../../src/lib/poll.ts'

const looks = 5

/** Settles when a number has been the same at five looks: whoever makes it grow has been held back, or is done. */
export async function standsStill(read: () => number): Promise<number> {
  let [before, equal] = [Number.NaN, 0]
  const isStill = () => {
    const now = read()
    equal = now === before ? equal + 1 : 0
    before = now
    return equal >= looks
  }
  await until(isStill, {
    deadlineMs: 20_000,
    intervalMs: 40,
    what: () => `a number to stand still at ${before}`,
  })
  return before
}

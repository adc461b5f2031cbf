import { usualIntervals, type Intervals } from './parts.ts'

/** Nobody asks more often, however fast the clock is. */
const shortestIntervalMs = 50

/** How often an account is asked whose clock is so many times faster than AWS's. Pure. */
export function intervalsAt(factor: number): Intervals {
  if (factor === 1) return usualIntervals
  const all = Object.entries(usualIntervals).map(([name, ms]) => [
    name,
    Math.max(shortestIntervalMs, ms / factor),
  ])
  // What a process takes to fail, and a busy machine to start it, is this machine's own time.
  const { settle, noTask } = usualIntervals
  return { ...(Object.fromEntries(all) as Intervals), settle: settle / 2, noTask }
}

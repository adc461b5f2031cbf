import type { Control } from '../../../domain/control.ts'

/**
 * What keeps a task from its start and may be over for the next one: a role that was made seconds ago, and what Fargate
 * lacks at a moment (D: "Stopped tasks error messages").
 */
const passing = [
  /unable to assume the role/,
  /AccessDenied/,
  /Timeout waiting for (network interface|EphemeralStorage) provisioning/,
  /Capacity is unavailable at this time/,
  /Unexpected EC2 error/,
]

/** So many more tasks are given a chance in place of such ones. */
const mostAgain = 2

/**
 * Whether a task that was not started has a successor that may be; says so where it has.
 * @param words AWS's; null of one that was started
 * @param again how many were given a chance already
 */
export function isPassing(
  { type, words, again }: { type: string; words: string | null; again: number },
  { report }: Pick<Control, 'report'>,
): boolean {
  if (words === null || again >= mostAgain || !passing.some((each) => each.test(words))) return false
  const text = `${type}: a task was not started, which may pass, so another one is waited for: ${words}`
  report({ type: 'log', text, time: new Date().toISOString() })
  return true
}

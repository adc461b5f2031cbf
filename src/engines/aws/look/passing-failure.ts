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
 * Whether another task may start where one was not. Pure.
 * @param words AWS's; null of one that was started
 * @param again how many were given a chance already
 */
export function mayPass(words: string | null, again: number): words is string {
  return words !== null && again < mostAgain && passing.some((each) => each.test(words))
}

export function tellPassing(type: string, words: string, { report }: Pick<Control, 'report'>): void {
  const text = `${type}: a task was not started, which may pass, so another one is waited for: ${words}`
  report({ type: 'log', text, time: new Date().toISOString() })
}

import type { ChildProcess } from 'node:child_process'
import { withDeadline } from '../../src/lib/deadline.ts'

/**
 * Settles in the moment in which a program has printed something like it on standard error or output.
 * @throws Error when it ends before; DeadlineError
 */
export async function whenSays(child: ChildProcess, pattern: RegExp, deadlineMs = 60_000): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let text = ''
  const hear = (chunk: string | Buffer) => {
    text += chunk.toString()
    if (pattern.test(text)) resolve()
  }
  child.stderr?.on('data', hear)
  child.stdout?.on('data', hear)
  child.once('close', () => reject(new Error(`ended without ${pattern}: ${text}`)))
  await withDeadline({ deadlineMs, what: `a program to say ${pattern}` }, () => promise)
}

/** Settles when `rack … --json` says that a phase has begun. */
export async function whenPhase(child: ChildProcess, phase: string): Promise<void> {
  await whenSays(child, new RegExp(`"type":"phase","phase":"${phase}",[^\\n]*"state":"started"`))
}

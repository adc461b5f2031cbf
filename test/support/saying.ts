import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

/** Settles when a program has printed something like it on standard error or output; fails when it ends before. */
export async function whenSays(child: ChildProcess, pattern: RegExp, deadlineMs = 60_000): Promise<void> {
  let text = ''
  const hear = (chunk: string) => (text += chunk)
  child.stderr?.on('data', hear)
  child.stdout?.on('data', hear)
  const deadline = Date.now() + deadlineMs
  while (!pattern.test(text)) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`ended without ${pattern}: ${text}`)
    if (Date.now() > deadline) throw new Error(`did not say ${pattern}: ${text}`)
    await delay(20)
  }
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const deadlineMs = 10_000

/** Changes the kernel's routes: `ip route WORDS`. @throws what says how the program has ended, with its `stderr` */
export async function changeRoute(words: string[], { signal }: { signal: AbortSignal }): Promise<void> {
  await run('ip', ['route', ...words], { signal, timeout: deadlineMs })
}

/** The same where it does not matter whether there is such a program, or such a route. @throws the reason of the signal alone */
export async function tryRoute(words: string[], control: { signal: AbortSignal }): Promise<void> {
  try {
    await changeRoute(words, control)
  } catch (error) {
    if (control.signal.aborted) throw error
  }
}

import type { Control } from '../../../domain/control.ts'
import { isOneOf } from '../../../domain/error.ts'
import { DeadlineError, withDeadline } from '../../../lib/deadline.ts'
import type { ProbeResult } from '../../../rollout/runtime.ts'
import type { DockerClient } from '../client.ts'
import type { Copy } from '../containers/copies.ts'
import { runCheck } from '../processes/exec-call.ts'

/** What a shell and the engine exit with where the program cannot be run, or is not there. */
const notRunnable = new Set([126, 127])

/** Runs a health check inside a copy once. Rejects only when the caller's signal ends, or the engine goes away. */
export async function checkCopy(
  docker: DockerClient,
  { container }: Copy,
  { command, timeoutMs }: { command: string[]; timeoutMs: number },
  { signal }: Control,
): Promise<ProbeResult> {
  const wait = { deadlineMs: timeoutMs, what: 'the health check', signal }
  try {
    const task = (inner: AbortSignal) => runCheck(docker, container, command, { signal: inner })
    const { code, text } = await withDeadline(wait, task)
    const said = `the health check exited with ${code}${text === '' ? '' : `: ${text}`}`
    const isHopeless = notRunnable.has(code)
    return { isGood: code === 0, answered: true, text: said, ...(isHopeless && { isHopeless }) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeadlineError) {
      return { isGood: false, answered: false, text: `the health check took over ${timeoutMs} ms` }
    }
    // The copy has ended: the exit itself is being reported.
    if (isOneOf(error, 'conflict', 'engine-failed')) {
      return { isGood: false, answered: false, text: error.message }
    }
    throw error
  }
}

import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import { identifyProcess } from '../lib/process-identity.ts'

/**
 * Ends a process: SIGTERM, and SIGKILL when the deadline has passed. Settles when it is gone.
 * @throws host-failed when even that does not help, or this user may not
 */
export async function endProcess(
  pid: number,
  { what, deadlineMs }: { what: string; deadlineMs: number },
  { signal }: Control,
): Promise<void> {
  const started = (await identifyProcess(pid))?.startTicks
  const isGone = async () => (await identifyProcess(pid))?.startTicks !== started
  for (const end of ['SIGTERM', 'SIGKILL'] as const) {
    if (await isGone()) return
    sendSignal(pid, end, what)
    try {
      await until(isGone, {
        deadlineMs: end === 'SIGTERM' ? deadlineMs : 5000,
        what: `${what} to end`,
        signal,
      })
      return
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
    }
  }
  throw new RackError('host-failed', `${what} (process ${pid}) does not end`)
}

function sendSignal(pid: number, signal: NodeJS.Signals, what: string): void {
  try {
    process.kill(pid, signal)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ESRCH') return
    throw new RackError('host-failed', `${what} (process ${pid}) cannot be ended: ${code}`, {
      hint: code === 'EPERM' ? 'It belongs to another user: try as root.' : undefined,
      cause,
    })
  }
}

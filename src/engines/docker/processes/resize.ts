import type { Control } from '../../../domain/control.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import { RackError } from '../../../domain/error.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import type { DockerClient } from '../client.ts'

interface Size {
  rows: number
  columns: number
}

/** Docker refuses a size until the process is there, which is a moment after its streams are. */
const firstSizeMs = 1000

/** Keeps the size of a process's terminal that of the person's. */
export function resizeWith(
  docker: DockerClient,
  path: string,
  terminal: Pick<Terminal, 'rows' | 'columns' | 'onResize'>,
  control: Control,
): void {
  const { signal } = control
  const send = async ({ rows, columns }: Size): Promise<boolean> => {
    if (rows < 1 || columns < 1 || signal.aborted) return true
    try {
      await docker.json({ method: 'POST', path, query: { h: rows, w: columns } }, control)
      return true
    } catch (error) {
      // A process that has just ended has no size.
      if (!(error instanceof RackError)) throw error
      return false
    }
  }
  let sent: Promise<unknown> = Promise.resolve()
  // One after the other: of two at once, as a window that is dragged sends them, the older might be the last to arrive.
  const resize = (size: Size): Promise<boolean> => {
    const turn = sent.then(() => send(size))
    sent = turn.catch(() => false)
    return turn
  }
  const wait = { deadlineMs: firstSizeMs, what: 'the size of a terminal', signal }
  until(() => resize(terminal), wait).catch((error: unknown) => {
    // It has ended at once, or its reader has left.
    if (!(error instanceof DeadlineError) && !signal.aborted) throw error
  })
  terminal.onResize((size) => void resize(size))
}

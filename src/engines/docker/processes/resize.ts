import type { Control } from '../../../domain/control.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import { RackError } from '../../../domain/error.ts'
import type { DockerClient } from '../client.ts'

/** Keeps the size of a process's terminal that of the person's. */
export function resizeWith(docker: DockerClient, path: string, terminal: Terminal, control: Control): void {
  const resize = async ({ rows, columns }: { rows: number; columns: number }) => {
    if (rows < 1 || columns < 1 || control.signal.aborted) return
    try {
      await docker.json({ method: 'POST', path, query: { h: rows, w: columns } }, control)
    } catch (error) {
      // A process that has just ended has no size.
      if (!(error instanceof RackError)) throw error
    }
  }
  void resize(terminal)
  terminal.onResize((size) => void resize(size))
}

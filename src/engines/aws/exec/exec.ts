import type { Control } from '../../../domain/control.ts'
import type { ExitCode } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import type { AwsParts } from '../parts.ts'
import type { Place } from './execute-command.ts'
import { converse } from './tool-session.ts'

/** Runs a command beside the process of a container, as the process itself would run it, on a terminal. */
export async function execInTask(
  parts: Pick<AwsParts, 'clients' | 'places'>,
  place: Place,
  { command, terminal }: { command: string[]; terminal: Terminal },
  control: Control,
): Promise<ExitCode> {
  const { tty, rows, columns, input } = terminal
  const order = { command, tty, rows, columns, input: input !== null }
  return await converse(parts, place, { verb: 'exec', order, ...endsOf(terminal) }, control)
}

/** Joins a terminal to the command that `hold` keeps for it; gives the command's exit code. */
export async function joinHeld(
  parts: Pick<AwsParts, 'clients' | 'places'>,
  place: Place,
  { terminal, onStarted }: { terminal: Terminal; onStarted: () => void },
  control: { signal: AbortSignal },
): Promise<ExitCode> {
  const { rows, columns } = terminal
  const conversation = { verb: 'join', order: { rows, columns }, onStarted, ...endsOf(terminal) }
  return await converse(parts, place, conversation, control)
}

function endsOf(terminal: Terminal) {
  return {
    input: terminal.input,
    output: async (stream: 'stdout' | 'stderr', chunk: Uint8Array) => await terminal.output(stream, chunk),
    ...(terminal.tty && {
      onResize: (listener: (size: { rows: number; columns: number }) => void) => terminal.onResize(listener),
    }),
  }
}

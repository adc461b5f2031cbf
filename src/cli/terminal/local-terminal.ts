import type { Terminal } from '../../domain/terminal.ts'
import type { World } from '../world.ts'

/** This end of an attached process; disposed, the person's terminal is as it was. */
export interface LocalTerminal extends Disposable {
  terminal: Terminal
}

export interface LocalTerminalOptions {
  /** Given or, when null, whether both ends of the program are a terminal. */
  tty: boolean | null
  /** False closes the process's standard input at once. */
  hasInput: boolean
}

/** Joins the program's own streams: raw when it is a terminal, bytes as they are otherwise. */
export function openLocalTerminal(
  { stdin, stdout, stderr }: Pick<World, 'stdin' | 'stdout' | 'stderr'>,
  { tty, hasInput }: LocalTerminalOptions,
): LocalTerminal {
  // Absent rather than false where it is no terminal.
  const isTty = tty ?? [stdin, stdout].every(({ isTTY }) => isTTY)
  const isRaw = isTty && stdin.isTTY
  const cleanUp = new DisposableStack()
  if (isRaw) {
    stdin.setRawMode(true)
    cleanUp.defer(() => void stdin.setRawMode(false))
  }
  cleanUp.defer(() => void stdin.pause())
  const streams = { stdout, stderr: isTty ? stdout : stderr }
  const terminal: Terminal = {
    tty: isTty,
    rows: stdout.rows ?? 24,
    columns: stdout.columns ?? 80,
    input: hasInput ? (stdin as AsyncIterable<Uint8Array>) : null,
    output: (stream, chunk) => write(streams[stream], chunk),
    onResize(listener) {
      const onResize = () => listener({ rows: stdout.rows, columns: stdout.columns })
      stdout.on('resize', onResize)
      cleanUp.defer(() => void stdout.off('resize', onResize))
    },
  }
  return { terminal, [Symbol.dispose]: () => cleanUp.dispose() }
}

async function write(stream: NodeJS.WriteStream, chunk: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  stream.write(chunk, (error) => (error ? reject(error) : resolve()))
  await promise
}

import type { Control } from '../../domain/control.ts'
import type { Engine } from '../../domain/engine.ts'
import { mask } from '../../domain/environment.ts'
import { RackError } from '../../domain/error.ts'
import type { Terminal } from '../../domain/terminal.ts'
import type { Inside } from '../../services/service-type.ts'

/** Of an answer or a complaint, the rest is let go. */
const mostBytes = 4 * 2 ** 20

/** Where what a command reads comes from behind its `input`, and where what it prints goes. */
export interface InsideStreams {
  input?: AsyncIterable<Uint8Array>
  /** Settles when more may follow. Without it the output is the answer. */
  output?: (chunk: Uint8Array) => Promise<void>
}

/**
 * Runs a command inside a copy of a service, to its end.
 * @returns what it printed, where no stream takes it
 * @throws service-failed with what it complained about, secrets masked; not-found; conflict; cancelled
 */
export async function runInside(
  engine: Pick<Engine, 'exec'>,
  copy: string,
  { inside, streams = {} }: { inside: Inside; streams?: InsideStreams },
  control: Control,
): Promise<string> {
  const [answer, complaint] = [collect(), collect()]
  const terminal: Terminal = {
    tty: false,
    rows: 24,
    columns: 80,
    input: inputOf(inside, streams.input),
    output: (stream, chunk) =>
      stream === 'stderr' ? complaint.take(chunk) : (streams.output ?? answer.take)(chunk),
    onResize: () => undefined,
  }
  const code = await engine.exec(copy, [...inside.command], terminal, control)
  if (code === 0) return answer.text()
  const said = maskAll(lastLines(complaint.text() || answer.text()), inside.secrets)
  throw new RackError('service-failed', `${inside.command[0]} ended with ${code}${said && `: ${said}`}`, {
    details: { exitCode: code },
  })
}

async function* inputOf({ input }: Inside, more: AsyncIterable<Uint8Array> | undefined) {
  if (input !== '') yield new TextEncoder().encode(input)
  if (more) yield* more
}

function collect() {
  const chunks: Uint8Array[] = []
  let bytes = 0
  return {
    take: async (chunk: Uint8Array) => {
      if (bytes < mostBytes) chunks.push(Uint8Array.from(chunk))
      bytes += chunk.length
    },
    text: () => Buffer.concat(chunks).toString().trim(),
  }
}

function lastLines(text: string): string {
  return text.split('\n').slice(-5).join('\n')
}

function maskAll(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => (secret ? masked.replaceAll(secret, mask) : masked), text)
}

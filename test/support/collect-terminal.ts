import type { Terminal } from '../../src/domain/terminal.ts'

/** A terminal without a person: it types the chunks, then its input ends (or stays `open`), and keeps all output. */
export function collectTerminal(typed: Uint8Array[] = [], options: { open?: boolean; tty?: boolean } = {}) {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  async function* input() {
    yield* typed
    if (options.open) await new Promise<never>(() => {})
  }
  const terminal: Terminal = {
    tty: options.tty ?? false,
    rows: 24,
    columns: 80,
    input: input(),
    async output(stream, chunk) {
      chunks[stream].push(Uint8Array.from(chunk))
    },
    onResize() {},
  }
  const bytes = (stream: 'stdout' | 'stderr') => Buffer.concat(chunks[stream])
  return {
    terminal,
    bytes,
    stdout: () => bytes('stdout').toString(),
    stderr: () => bytes('stderr').toString(),
  }
}

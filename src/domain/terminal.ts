/** The other end of an attached process. */
export interface Terminal {
  /** True for a TTY: one stream, line discipline in the process's container. */
  tty: boolean
  rows: number
  columns: number
  /** What the person types; its end closes the process's standard input. */
  input: AsyncIterable<Uint8Array> | null
  /** Resolves when the chunk may be followed by another. */
  output(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void>
  /** Calls back at each change of size until the signal of the call ends. */
  onResize(listener: (size: { rows: number; columns: number }) => void): void
}

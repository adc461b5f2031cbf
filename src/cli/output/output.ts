import { createColors } from 'picocolors'
import type { World } from '../world.ts'

type Colors = ReturnType<typeof createColors>

/** Where words go: data to stdout, conversation to stderr. */
export interface Output {
  /** Text for stdout as it is. */
  data: (text: string) => void
  /** One line for the person. */
  say: (text: string) => void
  /** A reply as JSON, indented on a terminal. */
  json: (value: unknown) => void
  /** One line of NDJSON. */
  record: (value: unknown) => void
  /** Settles when stdout can take more: for streams. */
  ready: () => Promise<void>
  /** Colours of stdout and of stderr: plain where it is no terminal. */
  colors: { data: Colors; say: Colors }
  /** Whether stderr is a terminal that can be drawn on. */
  isInteractive: boolean
  stderr: NodeJS.WriteStream
  stdout: NodeJS.WriteStream
}

/** Writes to the streams of the world. */
export function createOutput({ stdout, stderr, env }: Pick<World, 'stdout' | 'stderr' | 'env'>): Output {
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  // A pipe has no isTTY at all, and `undefined` would leave the choice to picocolors, which paints wherever CI is set.
  const colorsOf = (stream: NodeJS.WriteStream) => createColors(stream.isTTY ? !isPlain : false)
  return {
    data: (text) => void stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`),
    say: (text) => void stderr.write(`${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value, null, stdout.isTTY ? 2 : undefined)}\n`),
    record: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    async ready() {
      if (!stdout.writableNeedDrain) return
      const { promise, resolve } = Promise.withResolvers<void>()
      stdout.once('drain', resolve)
      stdout.once('close', resolve)
      await promise
    },
    colors: { data: colorsOf(stdout), say: colorsOf(stderr) },
    isInteractive: stderr.isTTY && env['TERM'] !== 'dumb',
    stderr,
    stdout,
  }
}

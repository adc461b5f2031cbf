import type { World } from '../world.ts'
import { createColors, type Colors } from './colors.ts'
import { printable, printableJson } from './printable.ts'
import { cutTo, openScreen, type Screen } from './screen.ts'

/**
 * Where words go: data to stdout, conversation to stderr. It is the one door to the terminal, for text of ours and from
 * elsewhere alike: whatever would steer a terminal does not get through (`printable`), but for the colours below.
 */
export interface Output {
  /** Text for stdout; as it is where that is no terminal. */
  data: (text: string) => void
  /** One line for the person, or more. */
  say: (text: string) => void
  /** A last line of stderr that the next one replaces, cut to the terminal's width; '' takes it away. */
  draw: (line: string) => void
  /** A reply as JSON, indented on a terminal. */
  json: (value: unknown) => void
  /** One line of NDJSON. */
  record: (value: unknown) => void
  /** One line of JSON on stderr. */
  sayRecord: (value: unknown) => void
  /** Settles when stdout can take more: for streams. */
  ready: () => Promise<void>
  /** All of the terminal for data; null where stdout is none that can be drawn on. */
  screen: () => Screen | null
  /** Colours of stdout and of stderr: plain where it is no terminal. */
  colors: { data: Colors; say: Colors }
  /** Whether stderr is a terminal that can be drawn on. */
  isInteractive: boolean
}

const eraseLine = '\r\u001b[2K'

/** Writes to the streams of the world. */
export function createOutput({ stdout, stderr, env }: Pick<World, 'stdout' | 'stderr' | 'env'>): Output {
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  // A pipe has no isTTY at all, and `undefined` would leave the choice to picocolors, which paints wherever CI is set.
  const colorsOf = (stream: NodeJS.WriteStream) =>
    createColors({ isPainted: stream.isTTY ? !isPlain : false })
  const [forData, forSay] = [colorsOf(stdout), colorsOf(stderr)]
  const asData = (text: string) => (stdout.isTTY ? forData.show(text) : text)
  const asJson = (stream: NodeJS.WriteStream, value: unknown, indent?: number) => {
    const json = JSON.stringify(value, null, indent)
    return stream.isTTY ? printableJson(json) : json
  }
  let isDrawn = false
  const erase = () => (isDrawn ? eraseLine : '')
  return {
    data: (text) => void stdout.write(asData(text.endsWith('\n') || text === '' ? text : `${text}\n`)),
    say(text) {
      stderr.write(`${erase()}${forSay.show(text)}\n`)
      isDrawn = false
    },
    draw(line) {
      stderr.write(`${erase()}${cutTo(printable(line), (stderr.columns ?? 80) - 1)}`)
      isDrawn = line !== ''
    },
    json: (value) => void stdout.write(`${asJson(stdout, value, stdout.isTTY ? 2 : undefined)}\n`),
    record: (value) => void stdout.write(`${asJson(stdout, value)}\n`),
    sayRecord: (value) => void stderr.write(`${asJson(stderr, value)}\n`),
    async ready() {
      if (!stdout.writableNeedDrain) return
      const { promise, resolve } = Promise.withResolvers<void>()
      stdout.once('drain', resolve)
      stdout.once('close', resolve)
      await promise
    },
    screen: () => (stdout.isTTY && env['TERM'] !== 'dumb' ? openScreen(stdout, forData.show) : null),
    colors: { data: forData.colors, say: forSay.colors },
    isInteractive: stderr.isTTY && env['TERM'] !== 'dumb',
  }
}

import { formatBytes } from '../../lib/sizes.ts'
import type { Output } from '../output/output.ts'

/** Counts what passes, and draws it on a terminal until disposed. */
export interface Meter extends Disposable {
  readonly bytes: number
  count(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}

const drawEveryMs = 250

/** A line on stderr where that is a terminal; nothing elsewhere. */
export function openMeter({ isInteractive, draw: drawLine }: Output, label: string): Meter {
  let bytes = 0
  const since = performance.now()
  const draw = () => {
    const perSecond = bytes / Math.max(0.001, (performance.now() - since) / 1000)
    drawLine(`${label}  ${formatBytes(bytes)}  ${formatBytes(Math.round(perSecond))}/s`)
  }
  const timer = isInteractive ? setInterval(draw, drawEveryMs) : undefined
  return {
    get bytes() {
      return bytes
    },
    async *count(chunks) {
      for await (const chunk of chunks) {
        bytes += chunk.length
        yield chunk
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      if (isInteractive) drawLine('')
    },
  }
}

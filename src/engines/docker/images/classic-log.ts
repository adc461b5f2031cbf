import { createLineSplitter } from '../../../lib/lines.ts'
import type { FailedStep } from './build-log.ts'
import type { ImageMessage } from './image-stream.ts'

const ofTheEngine = /^( ---> |Removing intermediate container |Successfully (built|tagged) )/

/** The output of the builder before BuildKit, in the same words: `[2/5] RUN make`, then what it writes. */
export function createClassicLog() {
  const lines = createLineSplitter()
  let step: string | null = null
  let tail: string[] = []

  const say = (line: string): string[] => {
    const found = /^Step (\d+\/\d+) : (.*)$/.exec(line)
    if (found) {
      step = `[${found[1]}] ${found[2]}`
      tail = []
      return [step]
    }
    if (line === '' || ofTheEngine.test(line)) return []
    tail = [...tail, line].slice(-20)
    return [line]
  }

  return {
    push: (text: string): string[] => lines.push(Buffer.from(text)).flatMap(say),
    failed: ({ error = '' }: ImageMessage): FailedStep | null =>
      step === null ? null : { step, error, tail },
  }
}

import type { Progress } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { StreamLine } from './client-types.ts'

/** Reads a stream to its end: reports the progress, resolves to the result. */
export async function followStream<Result>(
  lines: AsyncIterable<StreamLine<Result>>,
  report: (progress: Progress) => void,
): Promise<Result> {
  for await (const line of lines) {
    if (line.type === 'result') return line.result
    report(line)
  }
  throw new RackError('unreachable', 'the rack ended its answer without a result')
}

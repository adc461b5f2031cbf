import { RackError, type ErrorCode } from '../../../domain/error.ts'

/** What the tool says, a line each (`src/tool/link.go`). */
export type ToolLine =
  | { kind: 'ready' }
  | { kind: 'output'; stream: 'stdout' | 'stderr'; bytes: Buffer }
  /** So many bytes of the input were read. */
  | { kind: 'took'; count: number }
  | { kind: 'exit'; code: number }
  | { kind: 'failed'; code: string; text: string }

/** Null for a line that is none of the tool's: the agent has words of its own. */
function readToolLine(line: string): ToolLine | null {
  const [word = '', first = '', second = ''] = line.split(' ')
  switch (word) {
    case 'ready':
      return { kind: 'ready' }
    case '1':
    case '2':
      return {
        kind: 'output',
        stream: word === '1' ? 'stdout' : 'stderr',
        bytes: Buffer.from(first, 'base64'),
      }
    case 'took':
      return { kind: 'took', count: Number(first) }
    case 'exit':
      return { kind: 'exit', code: Number(first) }
    case 'failed':
      return { kind: 'failed', code: first, text: Buffer.from(second, 'base64').toString() }
    default:
      return null
  }
}

/** Text as lines; the rest without an end is left out. */
export async function* toolLines(output: AsyncIterable<Buffer>): AsyncGenerator<ToolLine> {
  let rest = ''
  for await (const chunk of output) {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const read = readToolLine(line.trimEnd())
      if (read) yield read
    }
  }
}

export const toolWords = {
  order: (order: unknown) => `order ${Buffer.from(JSON.stringify(order)).toString('base64')}\n`,
  input: (content: Uint8Array) => `0 ${Buffer.from(content).toString('base64')}\n`,
  end: () => 'end\n',
  took: (count: number) => `took ${count}\n`,
  size: ({ rows, columns }: { rows: number; columns: number }) => `size ${rows} ${columns}\n`,
  here: () => 'here\n',
  bye: () => 'bye\n',
}

const codes = new Set<string>(['not-found', 'conflict', 'invalid', 'disk-full'])

/** What the tool could not do, as the rack says it. */
export function toolError({ code, text }: { code: string; text: string }): RackError {
  return new RackError(codes.has(code) ? (code as ErrorCode) : 'engine-failed', text)
}

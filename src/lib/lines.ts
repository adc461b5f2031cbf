const newline = 0x0a
const carriageReturn = 0x0d

/** Cuts bytes that arrive in pieces into lines; holds at most one line, of at most `maxBytes`. */
export interface LineSplitter {
  /** The lines that this piece completes, without their `\n` or `\r\n`. */
  push(chunk: Uint8Array): string[]
  /** The last line, when the bytes did not end in a newline. */
  end(): string[]
}

/** A line longer than `maxBytes` comes out in parts, cut between characters. */
export function createLineSplitter(maxBytes = 64 * 1024): LineSplitter {
  let held: Buffer = Buffer.alloc(0)

  const push = (chunk: Uint8Array): string[] => {
    const out: string[] = []
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, start)) {
      hold(piece.subarray(start, at), out)
      out.push(text(held))
      held = Buffer.alloc(0)
      start = at + 1
    }
    hold(piece.subarray(start), out)
    return out
  }

  const hold = (piece: Buffer, out: string[]) => {
    // Copied even when nothing is held: the caller may reuse its buffer after push.
    held = Buffer.concat([held, piece])
    while (held.length > maxBytes) {
      const cut = characterBoundary(held, maxBytes)
      out.push(held.toString('utf8', 0, cut))
      held = held.subarray(cut)
    }
  }

  const end = (): string[] => {
    const last = held
    held = Buffer.alloc(0)
    return last.length === 0 ? [] : [text(last)]
  }

  return { push, end }
}

/** The lines of a stream of bytes. */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  maxBytes?: number,
): AsyncGenerator<string> {
  const splitter = createLineSplitter(maxBytes)
  for await (const chunk of source) yield* splitter.push(chunk)
  yield* splitter.end()
}

function text(line: Buffer): string {
  const end = line.at(-1) === carriageReturn ? line.length - 1 : line.length
  return line.toString('utf8', 0, end)
}

/** Steps back over UTF-8 continuation bytes, at most three; bytes that are not UTF-8 are cut where asked. */
function characterBoundary(bytes: Buffer, at: number): number {
  for (let cut = at; cut > Math.max(0, at - 4); cut--) {
    if ((bytes[cut]! & 0xc0) !== 0x80) return cut
  }
  return at
}

const blockBytes = 512
/** Longer ones are not read: what they hold beside a size is of no interest here. */
const largestPaxBytes = 1024 * 1024

/**
 * Passes a tar on as it comes, and rejects when it ends before its end: what writes an archive and fails in the middle
 * has no other way to say so.
 */
export async function* wholeTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const watch = createTarWatch()
  for await (const chunk of source) {
    watch.see(chunk)
    yield chunk
  }
  if (!watch.isWhole()) throw new TruncatedTarError()
}

/** A tar that ended in the middle of an entry, or before its end was marked. */
export class TruncatedTarError extends Error {
  constructor() {
    super('the archive ends in its middle')
    this.name = 'TruncatedTarError'
  }
}

interface TarWatch {
  see(chunk: Uint8Array): void
  /** Whether the mark of the end has come. */
  isWhole(): boolean
}

function createTarWatch(): TarWatch {
  const entries = createEntries()
  let head = Buffer.alloc(0)
  return {
    see(chunk) {
      for (let at = 0; at < chunk.length;) {
        // What follows the mark is padding.
        if (entries.isEnded()) return
        const missing = entries.missing()
        const piece = chunk.subarray(at, at + (missing > 0 ? missing : blockBytes - head.length))
        at += piece.length
        if (missing > 0) {
          entries.pass(piece)
          continue
        }
        head = Buffer.concat([head, piece])
        if (head.length < blockBytes) continue
        entries.begin(head)
        head = Buffer.alloc(0)
      }
    },
    isWhole: () => entries.isEnded(),
  }
}

/** How much of the entry that is read now is missing, by what its header says. */
function createEntries() {
  let missing = 0
  /** The content of a pax header that is being read. */
  let pax: { bytes: Buffer; size: number } | null = null
  let sizeOfNext: number | null = null
  let isEnded = false
  return {
    missing: () => missing,
    isEnded: () => isEnded,
    begin(head: Buffer) {
      isEnded = head.every((byte) => byte === 0)
      const type = String.fromCharCode(head[156] ?? 0)
      const size = sizeOf(head)
      if (type === 'x' && size <= largestPaxBytes) pax = { bytes: Buffer.alloc(0), size }
      const isExtra = 'xgLK'.includes(type)
      missing = padded(isExtra ? size : (sizeOfNext ?? size))
      if (!isExtra) sizeOfNext = null
    },
    pass(bytes: Uint8Array) {
      missing -= bytes.length
      if (!pax) return
      pax.bytes = Buffer.concat([pax.bytes, bytes])
      if (missing > 0) return
      const record = /^\d+ size=(\d+)$/m.exec(pax.bytes.subarray(0, pax.size).toString('latin1'))
      if (record) sizeOfNext = Number(record[1])
      pax = null
    },
  }
}

const padded = (size: number) => Math.ceil(size / blockBytes) * blockBytes

/** Octal digits, or a binary number where the first bit is set. */
function sizeOf(head: Buffer): number {
  if ((head[124]! & 0x80) !== 0) {
    return [...head.subarray(125, 136)].reduce((total, byte) => total * 256 + byte, head[124]! & 0x7f)
  }
  return Number.parseInt(head.toString('latin1', 124, 136).replaceAll(/[\0 ]/g, '') || '0', 8)
}

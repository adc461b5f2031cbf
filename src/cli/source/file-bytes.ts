import { createHash, hash as hashOnce } from 'node:crypto'
import { closeSync, fstatSync, readSync } from 'node:fs'
import { RackError } from '../../domain/error.ts'
import { tarHead, tarPadding } from '../../lib/tar-blocks.ts'

/** How much is handed over at once. */
const pieceBytes = 512 * 1024

/** How a file is called where it is told of, and what to do when it cannot be read. */
export interface FileWords {
  path: string
  hint: string
}

/** The entry of one file, which is open and is closed at the end. @throws invalid for one that shrinks meanwhile */
export function* fileBytes(
  file: number,
  head: Omit<Parameters<typeof tarHead>[0], 'type'>,
  words: FileWords,
): Generator<Buffer> {
  try {
    const { size } = fstatSync(file)
    yield tarHead({ ...head, type: 'file', size })
    // What grows meanwhile (a log) is sent as long as it was.
    for (let sent = 0; sent < size;) {
      const piece = Buffer.allocUnsafe(Math.min(size - sent, pieceBytes))
      const read = readSync(file, piece, 0, piece.length, null)
      if (read === 0) throw shrunk(words)
      yield read === piece.length ? piece : piece.subarray(0, read)
      sent += read
    }
    yield tarPadding(size)
  } finally {
    closeSync(file)
  }
}

/** The SHA-256 in base64url of a file, which is open and is closed at the end. */
export function fileHash(file: number): string {
  try {
    const first = readSync(file, hashed, 0, hashed.length, null)
    // At once, as most files are: a hash that takes pieces is dearer to make.
    if (first < hashed.length) return hashOnce('sha256', hashed.subarray(0, first), 'base64url')
    const hash = createHash('sha256')
    for (let read = first; read > 0; read = readSync(file, hashed, 0, hashed.length, null)) {
      hash.update(hashed.subarray(0, read))
    }
    return hash.digest('base64url')
  } finally {
    closeSync(file)
  }
}

const hashed = Buffer.alloc(pieceBytes)

function shrunk({ path, hint }: FileWords): RackError {
  return new RackError('invalid', `${path} became shorter while it was read`, { hint })
}

/** Gathers small buffers into pieces of at least `pieceBytes`. */
export function createPieces() {
  let held: Buffer[] = []
  let bytes = 0
  const rest = (): Buffer => {
    const piece = held.length === 1 ? held[0]! : Buffer.concat(held)
    held = []
    bytes = 0
    return piece
  }
  return {
    add(buffer: Buffer): Buffer | null {
      held.push(buffer)
      bytes += buffer.length
      return bytes >= pieceBytes ? rest() : null
    },
    rest,
  }
}

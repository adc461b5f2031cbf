import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { RackError } from '../domain/error.ts'
import type { Sealing } from '../domain/store.ts'

/** `rack`, and the version of the form. */
const magic = Buffer.from('rack\u0001')
const saltBytes = 32
const tagBytes = 16
const frameBytes = 64 * 1024
const sealedFrameBytes = frameBytes + tagBytes
const headBytes = magic.length + saltBytes

/**
 * Seals streams in frames, so that neither end holds more than one: AES-256-GCM with a key of each stream's own, the
 * frame's number as nonce, and a mark on the last, without which a stream that was cut would open.
 * @param key 32 bytes
 */
export function createSealing(key: Buffer, randomBytes: (count: number) => Uint8Array): Sealing {
  return {
    async *seal(content, place) {
      const salt = Buffer.from(randomBytes(saltBytes))
      const own = streamKey(key, salt, place)
      yield Buffer.concat([magic, salt])
      let number = 0
      for await (const { frame, isLast } of framesOf(content, frameBytes)) {
        yield sealFrame(own, nonceOf(number++, isLast), frame)
      }
    },
    async *open(sealed, place) {
      const reader = createHeadReader(sealed)
      const head = await reader.head()
      if (head.length < headBytes || !head.subarray(0, magic.length).equals(magic)) throw damaged(place)
      const own = streamKey(key, head.subarray(magic.length), place)
      let number = 0
      for await (const { frame, isLast } of framesOf(reader.rest(), sealedFrameBytes)) {
        yield openFrame(own, nonceOf(number++, isLast), { frame, place })
      }
    },
  }
}

function streamKey(key: Buffer, salt: Buffer, place: string[]): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, JSON.stringify(['rack stream', ...place]), 32))
}

/** Counts the frames; the last byte marks the last of them. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

function sealFrame(key: Buffer, nonce: Buffer, frame: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  return Buffer.concat([cipher.update(frame), cipher.final(), cipher.getAuthTag()])
}

function openFrame(key: Buffer, nonce: Buffer, { frame, place }: { frame: Buffer; place: string[] }): Buffer {
  const tagAt = frame.length - tagBytes
  if (tagAt < 0) throw damaged(place)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(frame.subarray(tagAt))
  try {
    return Buffer.concat([decipher.update(frame.subarray(0, tagAt)), decipher.final()])
  } catch (cause) {
    throw damaged(place, cause)
  }
}

/** Cuts a stream into frames of one size; the last is shorter or as long, and there is always one. */
async function* framesOf(
  content: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<{ frame: Buffer; isLast: boolean }> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const chunk of content) {
    held.push(chunk)
    length += chunk.length
    // One byte more than a frame shows that it is not the last.
    if (length <= bytes) continue
    const all = Buffer.concat(held)
    let at = 0
    for (; all.length - at > bytes; at += bytes) yield { frame: all.subarray(at, at + bytes), isLast: false }
    held = [all.subarray(at)]
    length = all.length - at
  }
  yield { frame: Buffer.concat(held), isLast: true }
}

/** Takes the head off a stream, and gives what comes after it. */
function createHeadReader(sealed: AsyncIterable<Uint8Array>) {
  const chunks = sealed[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  return {
    async head(): Promise<Buffer> {
      while (held.length < headBytes) {
        const next = await chunks.next()
        if (next.done) break
        held = Buffer.concat([held, next.value])
      }
      const head = held.subarray(0, headBytes)
      held = held.subarray(headBytes)
      return head
    },
    async *rest(): AsyncGenerator<Uint8Array> {
      if (held.length > 0) yield held
      yield* { [Symbol.asyncIterator]: () => chunks }
    },
  }
}

function damaged(place: string[], cause?: unknown): RackError {
  return new RackError('store-failed', `what is kept for ${place.join(' ')} is damaged, or another key's`, {
    hint: 'Restore the rack directory and its key file from one backup.',
    cause,
  })
}

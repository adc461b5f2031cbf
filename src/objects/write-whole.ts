import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { abortable } from '../lib/deadline.ts'
import { objectFault } from './faults.ts'

export interface Incoming {
  content: AsyncIterable<Uint8Array>
  control: Control
}

/** The one door to the disk: its errors are translated here, those of a source that is read from are not. */
export async function translated<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw objectFault(error)
  }
}

/**
 * Writes a new file to its end, and counts and hashes it.
 * @throws too-large; disk-full; what the source throws, and the signal's reason, as they are
 */
export async function writeWhole(
  path: string,
  { content, control: { signal } }: Incoming,
  maxBytes: number,
): Promise<{ bytes: number; sha256: string }> {
  await using file = await translated(async () => open(path, 'wx', 0o600))
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of whileWanted(content, signal)) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    hash.update(chunk)
    await translated(async () => writeFully(file, chunk))
  }
  await translated(async () => file.sync())
  return { bytes, sha256: hash.digest('hex') }
}

/** Ends with the signal's reason even while the source is silent, and tells the source that it is not read on. */
async function* whileWanted(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const source = content[Symbol.asyncIterator]()
  let isEnded = false
  try {
    for (;;) {
      const next = await abortable(source.next(), signal)
      if (next.done) {
        isEnded = true
        return
      }
      yield next.value
    }
  } finally {
    // Not waited for: a source that hangs would hold the caller too.
    if (!isEnded) void Promise.resolve(source.return?.()).then(nothing, nothing)
  }
}

function nothing(): void {}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten
}

function tooLarge(maxBytes: number): RackError {
  return new RackError('too-large', `the upload is larger than ${maxBytes} bytes`, {
    hint: 'Leave out what the build does not need: write it into .dockerignore.',
    details: { maxBytes },
  })
}

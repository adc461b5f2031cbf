import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createWriteStream } from 'node:fs'
import { RackError } from '../../domain/error.ts'

/** Writes a file that only this user may read; it has its name when it is whole, and is not there otherwise. */
export async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${path}.partial`
  try {
    await pipeline(content, createWriteStream(partial, { mode: 0o600 }), { signal })
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw translate(error, path, signal)
  }
}

function translate(error: unknown, path: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC') return new RackError('disk-full', `there is no room for ${path}`, { cause: error })
  if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') return error
  const why = { ENOENT: 'its folder is not there', EACCES: 'it may not be written', EISDIR: 'it is a folder' }
  return new RackError('invalid', `${path} cannot be written: ${why[code]}`, { cause: error })
}

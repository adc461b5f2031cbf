import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Replaces a file so that a reader, or a machine that lost its power, sees the old bytes or the new ones, never a
 * mix: write beside it, fsync, rename, fsync the directory. When it settles well the new bytes are on disk.
 */
export async function writeFileAtomically(
  path: string,
  data: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  const { mode = 0o644 } = options
  const directory = dirname(path)
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeAndSync(temporary, data, mode)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(directory)
}

async function writeAndSync(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  await using file = await open(path, 'wx', mode & 0o600)
  await file.writeFile(data)
  // Set after the write: the umask does not count, and no one with the wider mode sees half a file.
  await file.chmod(mode)
  await file.sync()
}

/** Makes the names in a directory (a rename, a new or a removed file) survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

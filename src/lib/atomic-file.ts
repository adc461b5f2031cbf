import { randomBytes } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { identifyProcess } from './process-identity.ts'

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
  const temporary = join(directory, `.${basename(path)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`)
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

/** The temporary names of this file, with the process that writes; and without one, as they once were. */
const temporaryName = /^\..+?(?:\.(\d+))?(?:\.[0-9a-f]{12})?\.tmp$/

/** Removes what writers that were killed have left in a directory; those that live finish their work. */
export async function sweepTemporaryFiles(directory: string): Promise<void> {
  for (const name of await namesIn(directory)) {
    const found = temporaryName.exec(name)
    if (!found) continue
    const writer = found[1] === undefined ? null : await identifyProcess(Number(found[1]))
    if (writer === null) await rm(join(directory, name), { force: true })
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Makes the names in a directory (a rename, a new or a removed file) survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

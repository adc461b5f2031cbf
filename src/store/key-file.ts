import { link, mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { RackError } from '../domain/error.ts'
import { syncDirectory } from '../lib/atomic-file.ts'
import { isMissing } from '../lib/missing.ts'
import { fileFault } from './faults.ts'

export const keyBytes = 32
/** The key in base64, and a newline. */
const fileBytes = 45
const fileText = /^[A-Za-z0-9+/]{43}=\n$/

/**
 * Reads the rack's key.
 * @returns null when there is no such file
 * @throws store-failed when others may read the file, or it does not hold a key
 */
export async function readKeyFile(path: string): Promise<Buffer | null> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    if (isMissing(cause)) return null
    throw refusal(path, 'cannot be read', 'Give it to the user that runs the rack, mode 0600.', cause)
  }
  await using opened = file
  return await readKey(opened, path)
}

async function readKey(file: FileHandle, path: string): Promise<Buffer> {
  const facts = await file.stat()
  if (!facts.isFile()) throw refusal(path, 'is not a file', 'Restore it from a backup.')
  if ((facts.mode & 0o077) !== 0) {
    const mode = (facts.mode & 0o777).toString(8).padStart(4, '0')
    throw refusal(path, `may be read by others (mode ${mode})`, `Type: chmod 0600 ${path}`)
  }
  const text = facts.size === fileBytes ? await file.readFile('utf8') : ''
  const key = Buffer.from(text, 'base64')
  if (!fileText.test(text) || key.length !== keyBytes) {
    throw refusal(
      path,
      'does not hold a key',
      'Restore it from a backup: without it the store cannot be read.',
    )
  }
  return key
}

/**
 * Makes the file with a fresh key, mode 0600, whole or not at all; one that is there already is kept.
 * @returns the key that the file holds
 * @throws store-failed, disk-full
 */
export async function createKeyFile(path: string, fresh: Uint8Array): Promise<Buffer> {
  try {
    await placeKey(path, fresh)
  } catch (error) {
    throw fileFault(error)
  }
  const key = await readKeyFile(path)
  if (!key) throw refusal(path, 'vanished while it was made', 'See that no other program removes it.')
  return key
}

async function placeKey(path: string, key: Uint8Array): Promise<void> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const temporary = join(directory, `.${basename(path)}.${process.pid}.tmp`)
  try {
    await writeKey(temporary, key)
    await linkUnlessThere(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(directory)
}

async function writeKey(path: string, key: Uint8Array): Promise<void> {
  // What a killed process of the same number left behind was never linked.
  await rm(path, { force: true })
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(`${Buffer.from(key).toString('base64')}\n`)
  await file.sync()
}

/** A link, unlike a rename, never replaces: of two that make the file at once, both use the first one's. */
async function linkUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function refusal(path: string, what: string, hint: string, cause?: unknown): RackError {
  return new RackError('store-failed', `the key file ${path} ${what}`, { hint, cause })
}

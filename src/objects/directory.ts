import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Objects } from '../domain/objects.ts'
import { syncDirectory } from '../lib/atomic-file.ts'
import { isMissing } from '../lib/missing.ts'
import { createSemaphore, type Semaphore } from '../lib/semaphore.ts'
import { errnoOf, noSuchKey, objectFault } from './faults.ts'
import { checkKey, checkPrefix } from './keys.ts'
import { translated, writeWhole, type Incoming } from './write-whole.ts'

export interface ObjectsOptions {
  /** The largest blob that `put` takes; without it the disk is the limit. */
  maxBytes?: number
}

/** Where the blobs are, by their keys, and where those lie that are not whole yet: one file system, so renames. */
interface Places {
  blobs: string
  incoming: string
  maxBytes: number
  /** Directories come and go one change at a time: a removal would take one away that is about to be used. */
  turns: Semaphore
}

/**
 * Opens blobs that lie as files in a directory, which is made when absent; what a killed writer left behind is
 * removed. One program at a time may have it open.
 * @throws disk-full, store-failed
 */
export async function openObjects(directory: string, options: ObjectsOptions = {}): Promise<Objects> {
  const places: Places = {
    blobs: join(directory, 'blobs'),
    incoming: join(directory, 'incoming'),
    maxBytes: options.maxBytes ?? Infinity,
    turns: createSemaphore(1),
  }
  await translated(async () => {
    await rm(places.incoming, { recursive: true, force: true })
    await mkdir(places.blobs, { recursive: true, mode: 0o700 })
    await mkdir(places.incoming, { mode: 0o700 })
    await syncDirectory(directory)
  })
  const pathOf = (key: string) => join(places.blobs, checkKey(key))
  return {
    put: async (key, content, control) => {
      const path = pathOf(key)
      return await put(places, path, { content, control })
    },
    get: (key, range) => readBlob(pathOf(key), key, range?.start ?? 0),
    size: async (key) => {
      const path = pathOf(key)
      return await translated(async () => (await factsOf(path))?.size ?? null)
    },
    remove: async (key) => {
      const path = pathOf(key)
      await translated(async () => removeFile(places, path))
    },
    list: (prefix) => listBlobs(places, checkPrefix(prefix)),
  }
}

async function put(
  places: Places,
  path: string,
  incoming: Incoming,
): Promise<{ bytes: number; sha256: string }> {
  const temporary = join(places.incoming, randomBytes(12).toString('hex'))
  try {
    const written = await writeWhole(temporary, incoming, places.maxBytes)
    await translated(async () => inDirectoryOf(places, path, async () => rename(temporary, path)))
    return written
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Makes the directories of a file, runs the task and lets both outlast a loss of power. */
async function inDirectoryOf(places: Places, path: string, task: () => Promise<void>): Promise<void> {
  const directory = dirname(path)
  using _turn = await places.turns.acquire()
  const made = await mkdir(directory, { recursive: true, mode: 0o700 })
  await task()
  await syncUpwards(directory, made ? places.blobs : directory)
}

async function syncUpwards(from: string, top: string): Promise<void> {
  for (let directory = from; ; directory = dirname(directory)) {
    await syncDirectory(directory)
    if (directory === top) return
  }
}

async function* readBlob(path: string, key: string, start: number): AsyncGenerator<Uint8Array> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
    if (!(await file.stat()).isFile()) {
      await file.close()
      throw noSuchKey(key)
    }
  } catch (error) {
    throw isMissing(error) ? noSuchKey(key) : objectFault(error)
  }
  await using opened = file
  try {
    yield* opened.createReadStream({ autoClose: false, start }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw objectFault(error)
  }
}

async function factsOf(path: string): Promise<{ size: number; modifiedNs: bigint } | null> {
  try {
    const facts = await stat(path, { bigint: true })
    return facts.isFile() ? { size: Number(facts.size), modifiedNs: facts.mtimeNs } : null
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function removeFile(places: Places, path: string): Promise<void> {
  using _turn = await places.turns.acquire()
  if ((await factsOf(path)) === null) return
  await rm(path, { force: true })
  await removeEmpty(places, dirname(path))
}

/** Removes the directories that a removal has emptied, and makes it last. */
async function removeEmpty(places: Places, from: string): Promise<void> {
  let directory = from
  while (directory !== places.blobs && (await isRemoved(directory))) directory = dirname(directory)
  await syncDirectory(directory)
}

async function isRemoved(directory: string): Promise<boolean> {
  try {
    await rmdir(directory)
    return true
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
    throw error
  }
}

async function* listBlobs(
  places: Places,
  prefix: string,
): AsyncGenerator<{ key: string; bytes: number; modified: string }> {
  const found = await translated(async () => collect(places, prefix))
  found.sort((a, b) => Number(a.modifiedNs - b.modifiedNs) || (a.key < b.key ? -1 : 1))
  for (const { key, size, modifiedNs } of found) {
    yield { key, bytes: size, modified: new Date(Number(modifiedNs / 1_000_000n)).toISOString() }
  }
}

async function collect(places: Places, prefix: string) {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const found: { key: string; size: number; modifiedNs: bigint }[] = []
  for (const name of await namesUnder(join(places.blobs, folder))) {
    const key = folder + name
    const facts = key.startsWith(prefix) ? await factsOf(join(places.blobs, key)) : null
    if (facts) found.push({ key, ...facts })
  }
  return found
}

async function namesUnder(directory: string): Promise<string[]> {
  try {
    return await readdir(directory, { recursive: true })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

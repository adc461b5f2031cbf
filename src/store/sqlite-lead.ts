import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { RackError } from '../domain/error.ts'
import type { Lease } from '../domain/store.ts'
import { tryLockFile } from '../lib/file-lock.ts'
import { fileFault, sqliteFault } from './faults.ts'

/** A database of its own, with nothing in it: the lock on it keeps nobody from reading the store. */
const fileName = 'lead.sqlite'

/**
 * Takes the lead by a lock on a file, which the system frees with the process, however that ends.
 * @throws conflict while another leads; store-failed, disk-full
 */
export async function leadSqlite(directory: string): Promise<Lease> {
  const path = join(directory, fileName)
  await makeFile(directory, path)
  const lock = lockFile(path)
  if (!lock) throw ledByAnother()
  return {
    // The lock is this process's own, and lasts as long.
    lost: new AbortController().signal,
    [Symbol.asyncDispose]: async () => lock[Symbol.dispose](),
  }
}

function lockFile(path: string): Disposable | null {
  try {
    return tryLockFile(path)
  } catch (error) {
    throw sqliteFault(error)
  }
}

/** Never opens one that is there: closing it would free a lock that this process holds on it. */
async function makeFile(directory: string, path: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await using _file = await open(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileFault(error)
  }
}

function ledByAnother(): RackError {
  return new RackError('conflict', 'another daemon leads this store', {
    hint: 'One daemon at a time works on a rack. See which one runs: rack status',
  })
}

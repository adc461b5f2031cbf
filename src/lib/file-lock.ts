import { DatabaseSync } from 'node:sqlite'

/** SQLITE_BUSY. */
const busy = 5

/**
 * Takes a lock that one process at a time has, and that ends with it, however it ends; null while another has it. The
 * file itself holds nothing, and stays.
 *
 * Node has no call for a lock on a file, and SQLite, which is in Node, is made on one. A writer's lock, not an exclusive
 * one: for that SQLite waits until nobody reads, and those that ask at once read, so that none of them would get it.
 */
export function tryLockFile(path: string): Disposable | null {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // No journal beside it: a full disk must not keep anyone from a lock.
    database.exec('pragma journal_mode = memory; begin immediate')
    return { [Symbol.dispose]: () => database.isOpen && database.close() }
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode === busy) return null
    throw error
  }
}

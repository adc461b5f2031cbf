import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { RackError } from '../domain/error.ts'
import type { StoreFile } from '../domain/store.ts'
import { readTextIfThere } from '../lib/files.ts'
import type { Database } from './database.ts'
import { fileFault } from './faults.ts'
import { sqliteFile } from './sqlite.ts'

interface StorePlaces {
  /** Where SQLite's file lies; absent for a database of its own. */
  directory: string | undefined
  /** The rack's key, and what lies beside it. */
  keyFiles: string[]
}

/**
 * The files of a store, in the order in which they stay true: a head of the audit that is older than the rows is no fault.
 */
export async function* storeFiles({ copyTo }: Database, places: StorePlaces): AsyncGenerator<StoreFile> {
  const { directory, keyFiles } = places
  if (directory === undefined || !copyTo) throw ofItsOwn()
  const home = dirname(keyFiles[0]!)
  for (const path of keyFiles) {
    const text = await readTextIfThere(path)
    if (text !== null) yield { path: basename(path), content: textOf(text) }
  }
  const name = `.copy.${process.pid}.${randomBytes(6).toString('hex')}.tmp`
  const copy = join(directory, name)
  try {
    // SQLite would make it with the umask's mode.
    await using _file = await open(copy, 'wx', 0o600)
    await copyTo(copy)
    yield { path: relative(home, join(directory, sqliteFile)), content: bytesOf(copy) }
  } finally {
    for (const path of [copy, `${copy}-journal`]) await rm(path, { force: true })
  }
}

async function* textOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw fileFault(error)
  }
}

function ofItsOwn(): RackError {
  return new RackError(
    'unsupported',
    'the store of this rack is a Postgres database, which is no file of it',
    {
      hint: "Back up that database with pg_dump, and beside it the rack's directory with its key file.",
    },
  )
}

import { randomBytes as systemRandomBytes } from 'node:crypto'
import { RackError } from '../domain/error.ts'
import type { Store } from '../domain/store.ts'
import { createAddressStore } from './addresses.ts'
import { createAppStore } from './apps.ts'
import { createBuildStore } from './builds.ts'
import type { StoreContext } from './context.ts'
import type { Database } from './database.ts'
import { createFormationStore } from './formations.ts'
import { openCipher } from './identity.ts'
import { migrate } from './migrate.ts'
import { createOperationStore } from './operations.ts'
import { createParameterStore } from './parameters.ts'
import { createReleaseStore } from './releases.ts'
import { createTokenStore } from './tokens.ts'

export interface StoreOptions {
  /** The rack's name; a database belongs to one rack. */
  rack: string
  /** Where SQLite's file lies; made when absent. */
  directory?: string | undefined
  /** A Postgres instead: `postgres://…`. Wins over the directory. */
  url?: string | undefined
  /** The key that seals what is secret; made at first use, mode 0600. Without it the store can't be read. */
  keyFile: string
  randomBytes?: (count: number) => Uint8Array
  now?: () => Date
}

/**
 * Opens the store, with its tables made or brought up to date.
 * @throws store-failed when the database does not answer, is another rack's or was sealed with another key; disk-full;
 * invalid for a URL that is none
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { now = () => new Date(), randomBytes = systemRandomBytes } = options
  const database = await openDatabase(options)
  try {
    await migrate(database)
    const clock = () => now().toISOString()
    const cipher = await openCipher(database, { ...options, randomBytes, now: clock })
    return assemble({ ...database, cipher, randomBytes, now: clock })
  } catch (error) {
    await database.close()
    throw error
  }
}

async function openDatabase({ url, directory }: StoreOptions): Promise<Database> {
  if (url) {
    // Loaded when asked for: a rack on SQLite has no use for it.
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(url)
  }
  if (!directory) throw new RackError('invalid', 'a store needs a directory or the URL of a database')
  const { openSqlite } = await import('./sqlite.ts')
  return await openSqlite(directory)
}

function assemble(context: StoreContext): Store {
  return {
    apps: createAppStore(context),
    builds: createBuildStore(context),
    releases: createReleaseStore(context),
    operations: createOperationStore(context),
    formations: createFormationStore(context),
    addresses: createAddressStore(context),
    tokens: createTokenStore(context),
    parameters: createParameterStore(context),
    close: async () => context.close(),
  }
}

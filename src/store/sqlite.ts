import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { backup, DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type SqliteDatabase,
} from 'kysely'
import { RackError } from '../domain/error.ts'
import { syncDirectory } from '../lib/atomic-file.ts'
import type { Database, Dialect } from './database.ts'
import { fileFault, sqliteFault } from './faults.ts'
import type { Schema } from './schema.ts'

/** The name of the database's file in its directory. */
export const sqliteFile = 'store.sqlite'

/** How long a write waits for another program that holds the database. */
const busyTimeoutMs = 5000

/**
 * Opens the database in a directory; both are made when absent, for their owner alone.
 * @throws store-failed, disk-full
 */
export async function openSqlite(directory: string): Promise<Database> {
  await makeFile(directory)
  const sqlite = connect(join(directory, sqliteFile))
  const db = new Kysely<Schema>({
    dialect: {
      createDriver: () => new ImmediateDriver(sqlite),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createAdapter: () => new TransactionalAdapter(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    },
  })
  return {
    db,
    dialect,
    copyTo: async (path) => copyTo(sqlite, path),
    close: async () => close(sqlite),
  }
}

const dialect: Dialect = {
  // A transaction holds the whole database from its first statement.
  hasRowLocks: false,
  addSequence: (table) =>
    table.addColumn('seq' as never, 'integer', (column) => column.primaryKey().autoIncrement()),
  lockSubnets: async () => {},
  lockEvents: async () => {},
}

async function makeFile(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    // SQLite would make it with the umask's mode; its companions take the mode of this one.
    await using _file = await open(join(directory, sqliteFile), 'a', 0o600)
    await syncDirectory(directory)
  } catch (error) {
    throw fileFault(error)
  }
}

function connect(path: string): DatabaseSync {
  const sqlite = guarded(
    () => new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true }),
  )
  try {
    const mode = guarded(() => sqlite.prepare('pragma journal_mode = wal').get())
    if (mode?.['journal_mode'] !== 'wal') {
      throw new RackError('store-failed', `SQLite has no write-ahead log at ${path}`, {
        hint: 'Keep the rack directory on a disk of this machine, not on a network file system.',
      })
    }
    guarded(() => sqlite.exec('pragma synchronous = full'))
    return sqlite
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** Some pages at a time, so that nobody waits; what is written meanwhile over the same connection is written to the copy too. */
async function copyTo(sqlite: DatabaseSync, path: string): Promise<void> {
  try {
    await backup(sqlite, path, { rate: 1000 })
  } catch (error) {
    throw sqliteFault(error)
  }
}

function close(sqlite: DatabaseSync): void {
  if (sqlite.isOpen) guarded(() => sqlite.close())
}

/** The one door to SQLite: its errors are translated here. */
function guarded<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw sqliteFault(error)
  }
}

/** `node:sqlite` in the shape that kysely's driver takes. */
function adapt(sqlite: DatabaseSync): SqliteDatabase {
  return {
    close: () => close(sqlite),
    prepare(text) {
      const statement = guarded(() => sqlite.prepare(text))
      return {
        reader: statement.columns().length > 0,
        // Rows come without a prototype; as plain objects they equal what the other database gives.
        all: (values) =>
          guarded(() => statement.all(...(values as SQLInputValue[])).map((row) => ({ ...row }))),
        run: (values) => guarded(() => statement.run(...(values as SQLInputValue[]))),
        iterate: (values) => guarded(() => statement.iterate(...(values as SQLInputValue[]))),
      }
    },
  }
}

class ImmediateDriver extends SqliteDriver {
  readonly #sqlite: DatabaseSync

  constructor(sqlite: DatabaseSync) {
    super({ database: adapt(sqlite) })
    this.#sqlite = sqlite
  }

  /** Takes the write lock at once: a transaction that reads first can't be overtaken between reading and writing. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** After a full disk SQLite has rolled back by itself, and a second time would hide the reason. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#sqlite.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }
}

/** Lets migrations be all or nothing: SQLite's tables are transactional, kysely only does not rely on it. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

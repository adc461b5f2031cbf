import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { RackError } from '../domain/error.ts'
import type { Database } from './database.ts'
import { createTables } from './migrations/0001-create-tables.ts'

/**
 * Brings the tables to this version of Rack, in the order of the migrations' names, all or nothing.
 * @throws store-failed when a newer Rack has written the database, or the database fails
 */
export async function migrate(database: Database): Promise<void> {
  const migrations = { '0001-create-tables': createTables(database.dialect) }
  const migrator = new Migrator({ db: database.db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (!error) return
  if (error instanceof RackError) throw error
  await refuseNewer(database, Object.keys(migrations))
  throw new RackError('store-failed', 'the tables of the store could not be brought up to date', {
    cause: error,
  })
}

async function refuseNewer({ db }: Database, known: string[]): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  const unknown = rows.map((row) => row.name).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  throw new RackError(
    'store-failed',
    `a newer version of Rack has changed the store (${unknown.join(', ')})`,
    {
      hint: 'Use that version again, or restore a backup from before it.',
    },
  )
}

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Dialect } from '../database.ts'

/** What became of processes that ran once: their containers are gone when they have ended. */
export function keepEndings(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await dialect
        .addSequence(db.schema.createTable('endings'))
        .addColumn('process', 'text', (column) => column.notNull().unique())
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('facts', 'text', (column) => column.notNull())
        .addForeignKeyConstraint('endings_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
        .execute()
      await db.schema.createIndex('endings_of_app').on('endings').columns(['app', 'seq']).execute()
    },
  }
}

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What was told last of each process that is there. */
export function tellProcesses(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('processes')
        .addColumn('process', 'text', (column) => column.primaryKey())
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('facts', 'text', (column) => column.notNull())
        .addForeignKeyConstraint('processes_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
        .execute()
      await db.schema.createIndex('processes_of_app').on('processes').column('app').execute()
    },
  }
}

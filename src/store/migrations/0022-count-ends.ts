import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** How often processes of each type were started again, and ended for want of memory. */
export function countEnds(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('process_ends')
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('restarts', 'integer', (column) => column.notNull())
        .addColumn('out_of_memory', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('process_ends_key', ['app', 'type'])
        .addForeignKeyConstraint('process_ends_app', ['app'], 'apps', ['name'], (key) =>
          key.onDelete('cascade'),
        )
        .execute()
    },
  }
}

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What was found out of raw tcp ports that may be web pages. */
export function noticePorts(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('noticed_ports')
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('process', 'text', (column) => column.notNull())
        .addColumn('port', 'integer', (column) => column.notNull())
        .addColumn('build', 'text', (column) => column.notNull())
        .addColumn('speaks_http', 'integer', (column) => column.notNull())
        .addColumn('is_served', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('noticed_ports_key', ['app', 'process'])
        .addForeignKeyConstraint('noticed_ports_app', ['app'], 'apps', ['name'], (key) =>
          key.onDelete('cascade'),
        )
        .execute()
    },
  }
}

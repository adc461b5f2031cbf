import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Domains of apps, which outlive releases. */
export function keepDomains(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('domains')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('process', 'text')
        .addColumn('since', 'text', (column) => column.notNull())
        .addForeignKeyConstraint('domains_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
        .execute()
    },
  }
}

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Certificates that somebody has brought, and authorities of the rack's own. */
export function keepCertificates(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('certificates')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('facts', 'text', (column) => column.notNull())
        .addColumn('chain', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('since', 'text', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('authorities')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('certificate', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .execute()
    },
  }
}

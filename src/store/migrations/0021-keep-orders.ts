import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Accounts at authorities of certificates, and what is being had of them. */
export function keepOrders(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('acme_accounts')
        .addColumn('directory', 'text', (column) => column.primaryKey())
        .addColumn('email', 'text')
        .addColumn('ca', 'text')
        .addColumn('url', 'text')
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('is_asked', 'integer', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('acme_orders')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('facts', 'text', (column) => column.notNull())
        .addColumn('key', 'text')
        .execute()
    },
  }
}

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Dialect } from '../database.ts'

/** What is shared with other racks, the keys by which they come in, and what a service is to those who have it. */
export function keepShares(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await dialect
        .addSequence(db.schema.createTable('shares'))
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('service', 'text', (column) => column.notNull())
        .addColumn('consumer', 'text', (column) => column.notNull())
        .addColumn('version', 'text', (column) => column.notNull())
        .addColumn('serial', 'text', (column) => column.notNull())
        .addColumn('allow', 'text', (column) => column.notNull())
        .addColumn('address', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('created', 'text', (column) => column.notNull())
        .addColumn('expires', 'text')
        .addColumn('revoked', 'text')
        .execute()
      await db.schema
        .createTable('share_keys')
        .addColumn('single', 'integer', (column) => column.primaryKey())
        .addColumn('keys', 'text', (column) => column.notNull())
        .execute()
    },
  }
}

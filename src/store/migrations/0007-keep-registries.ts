import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Logins at registries of images. */
export function keepRegistries(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('registries')
        .addColumn('host', 'text', (column) => column.primaryKey())
        .addColumn('username', 'text', (column) => column.notNull())
        .addColumn('password', 'text', (column) => column.notNull())
        .addColumn('since', 'text', (column) => column.notNull())
        .execute()
    },
  }
}

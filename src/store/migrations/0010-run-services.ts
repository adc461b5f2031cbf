import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Services that the rack runs from an image: what has become of them, and how they run. */
export function runServices(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('services')
        .addColumn('status', 'text', (column) => column.notNull().defaultTo('running'))
        .execute()
      await db.schema.alterTable('services').addColumn('run', 'text').execute()
    },
  }
}

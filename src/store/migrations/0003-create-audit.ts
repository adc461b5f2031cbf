import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Dialect } from '../database.ts'

/** Who asked for what. */
export function createAudit(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await dialect
        .addSequence(db.schema.createTable('audit'))
        .addColumn('caller', 'text', (column) => column.notNull())
        .addColumn('verb', 'text', (column) => column.notNull())
        .addColumn('app', 'text')
        .addColumn('subject', 'text')
        .addColumn('begun', 'text', (column) => column.notNull())
        .addColumn('ended', 'text')
        .addColumn('outcome', 'text')
        .execute()
    },
  }
}

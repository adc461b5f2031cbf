import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** From where somebody asked, and the chain of all that is written of it. What is there is chained when the store opens. */
export function chainTheAudit(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      for (const column of ['source', 'request', 'begin_mac', 'end_mac'])
        await db.schema.alterTable('audit').addColumn(column, 'text').execute()
      for (const column of ['begin_no', 'end_no'])
        await db.schema.alterTable('audit').addColumn(column, 'bigint').execute()
      await db.schema
        .createTable('audit_head')
        .addColumn('single', 'integer', (column) => column.primaryKey().check(sql`single = 1`))
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addColumn('mac', 'text', (column) => column.notNull())
        .addColumn('anchor_no', 'bigint', (column) => column.notNull())
        .addColumn('anchor_mac', 'text', (column) => column.notNull())
        .addColumn('anchor_seal', 'text', (column) => column.notNull())
        .execute()
    },
  }
}

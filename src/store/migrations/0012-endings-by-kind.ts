import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What ended is kept by its kind: the many runs of a timer forget none of the runs that somebody has asked for. */
export function endingsByKind(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('endings')
        .addColumn('kind', 'text', (column) => column.notNull().defaultTo('one-off'))
        .execute()
      await sql`update endings set kind = 'timer' where facts like '%"kind":"timer"%'`.execute(db)
      await sql`update endings set kind = 'release-command' where facts like '%"kind":"release-command"%'`.execute(
        db,
      )
    },
  }
}

import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a token may do, for which apps and for how long; those that could write all may still do all. */
export function tokensHaveRoles(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('tokens').renameColumn('permission', 'role').execute()
      await sql`update tokens set role = 'admin' where role = 'write'`.execute(db)
      for (const column of ['apps', 'expires', 'last_used']) {
        await db.schema.alterTable('tokens').addColumn(column, 'text').execute()
      }
    },
  }
}

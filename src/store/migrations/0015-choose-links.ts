import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a link says beside where it leads: for which processes it is, and what of the service its login reaches. */
export function chooseLinks(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('release_links').addColumn('options', 'text').execute()
    },
  }
}

import type { Selectable } from 'kysely'
import type { App } from '../domain/app.ts'
import { RackError } from '../domain/error.ts'
import type { AppStore } from '../domain/store.ts'
import { missing, type StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

/** Apps as rows. */
export function createAppStore({ db, now }: StoreContext): AppStore {
  return {
    async create(name) {
      const app: App = { name, status: 'creating', release: null, locked: false, created: now() }
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('apps')
        .values({ ...app, locked: 0 })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows === 0n) throw taken(name)
      return app
    },
    async get(name) {
      const row = await db.selectFrom('apps').selectAll().where('name', '=', name).executeTakeFirst()
      return row ? appOf(row) : null
    },
    async list() {
      const rows = await db.selectFrom('apps').selectAll().orderBy('name').execute()
      return rows.map(appOf)
    },
    async setStatus(name, status) {
      const change = db.updateTable('apps').set({ status }).where('name', '=', name)
      const { numUpdatedRows } = await change.executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) missing('app', name)
    },
    async setLocked(name, locked) {
      const change = db
        .updateTable('apps')
        .set({ locked: locked ? 1 : 0 })
        .where('name', '=', name)
      const { numUpdatedRows } = await change.executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) missing('app', name)
    },
    async remove(name) {
      // Foreign keys take along all that belongs to it.
      await db.deleteFrom('apps').where('name', '=', name).execute()
    },
  }
}

function appOf(row: Selectable<Schema['apps']>): App {
  return { ...row, locked: row.locked === 1 }
}

function taken(name: string): RackError {
  return new RackError('exists', `there is an app "${name}" already`, {
    hint: 'Choose another name with --app NAME; rack apps lists the ones that are taken.',
    details: { app: name },
  })
}

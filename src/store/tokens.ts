import type { Selectable } from 'kysely'
import type { KeptToken, TokenStore } from '../domain/stores/rack-stores.ts'
import type { StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

/** Tokens as hashes. */
export function createTokenStore({ db, now }: StoreContext): TokenStore {
  return {
    async add({ name, sha256, role, apps, expires }) {
      const given = { name, role, apps: apps && JSON.stringify(apps), expires }
      await db
        .insertInto('tokens')
        .values({ ...given, sha256, created: now(), last_used: null })
        .onConflict((conflict) => conflict.column('sha256').doUpdateSet(given))
        .execute()
    },
    async list() {
      const rows = await db.selectFrom('tokens').selectAll().orderBy('name').orderBy('created').execute()
      return rows.map(tokenOf)
    },
    async noteUse(sha256, time) {
      await db.updateTable('tokens').set({ last_used: time }).where('sha256', '=', sha256).execute()
    },
    async remove(sha256) {
      await db.deleteFrom('tokens').where('sha256', '=', sha256).execute()
    },
  }
}

function tokenOf({ last_used: lastUsed, apps, ...row }: Selectable<Schema['tokens']>): KeptToken {
  return { ...row, apps: apps === null ? null : (JSON.parse(apps) as string[]), lastUsed }
}

import type { TokenStore } from '../domain/store.ts'
import type { StoreContext } from './context.ts'

/** Tokens as the hashes that they are found by. */
export function createTokenStore({ db, now }: StoreContext): TokenStore {
  return {
    async add(name, sha256, permission) {
      await db
        .insertInto('tokens')
        .values({ sha256, name, permission, created: now() })
        .onConflict((conflict) => conflict.column('sha256').doUpdateSet({ name, permission }))
        .execute()
    },
    async find(sha256) {
      const query = db.selectFrom('tokens').select(['name', 'permission']).where('sha256', '=', sha256)
      return (await query.executeTakeFirst()) ?? null
    },
  }
}

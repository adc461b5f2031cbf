import type { DomainStore } from '../domain/stores/rack-stores.ts'
import type { StoreContext } from './context.ts'

export function createDomainStore({ db, now }: StoreContext): DomainStore {
  return {
    list: async () => await db.selectFrom('domains').selectAll().orderBy('name').execute(),
    async add({ name, app, process }) {
      await db
        .insertInto('domains')
        .values({ name, app, process, since: now() })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute()
      return await db.selectFrom('domains').selectAll().where('name', '=', name).executeTakeFirstOrThrow()
    },
    async remove(app, name) {
      const { numDeletedRows } = await db
        .deleteFrom('domains')
        .where('name', '=', name)
        .where('app', '=', app)
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },
  }
}

import type { ParameterStore } from '../domain/stores/rack-stores.ts'
import type { StoreContext } from './context.ts'

/** The rack's parameters: names and texts. */
export function createParameterStore({ db }: StoreContext): ParameterStore {
  return {
    async get(name) {
      const row = await db
        .selectFrom('parameters')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirst()
      return row?.value ?? null
    },
    async set(name, value) {
      await db
        .insertInto('parameters')
        .values({ name, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute()
    },
  }
}

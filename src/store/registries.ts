import type { RegistryStore } from '../domain/stores/rack-stores.ts'
import type { StoreContext } from './context.ts'

/** Logins at registries, their passwords sealed. */
export function createRegistryStore({ db, cipher, now }: StoreContext): RegistryStore {
  const rows = () => db.selectFrom('registries').selectAll().orderBy('host')
  return {
    async list() {
      return (await rows().execute()).map(({ host, username, since }) => ({ host, username, since }))
    },
    async logins() {
      return (await rows().execute()).map(({ host, username, password }) => {
        return { host, username, password: cipher.open(password, passwordPlace(host)) }
      })
    },
    async set({ host, username, password }) {
      const changes = { username, password: cipher.seal(password, passwordPlace(host)), since: now() }
      await db
        .insertInto('registries')
        .values({ host, ...changes })
        .onConflict((conflict) => conflict.column('host').doUpdateSet(changes))
        .execute()
    },
    async remove(host) {
      const { numDeletedRows } = await db
        .deleteFrom('registries')
        .where('host', '=', host)
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },
  }
}

function passwordPlace(host: string): string[] {
  return ['registry', host]
}

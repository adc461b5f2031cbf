import type { AcmeAccount, KeptOrder } from '../domain/certificate-order.ts'
import type { AcmeStore } from '../domain/stores/rack-stores.ts'
import { transact, type StoreContext } from './context.ts'

/** Accounts at authorities and orders at them, their keys sealed. */
export function createAcmeStore(context: StoreContext): AcmeStore {
  const { db, cipher } = context
  const accounts = () => db.selectFrom('acme_accounts').select(['directory', 'email', 'ca', 'url', 'key'])
  const opened = (row: AcmeAccount | undefined): AcmeAccount | null =>
    row ? { ...row, key: cipher.open(row.key, accountPlace(row.directory)) } : null
  return {
    asked: async () => opened(await accounts().where('is_asked', '=', 1).executeTakeFirst()),
    account: async (directory) =>
      opened(await accounts().where('directory', '=', directory).executeTakeFirst()),
    async ask({ directory, email, ca, url, key }) {
      const changes = { email, ca, url, is_asked: 1 }
      const sealed = cipher.seal(key, accountPlace(directory))
      await transact(context, async (transaction) => {
        await transaction.updateTable('acme_accounts').set({ is_asked: 0 }).execute()
        await transaction
          .insertInto('acme_accounts')
          .values({ directory, key: sealed, ...changes })
          .onConflict((conflict) => conflict.column('directory').doUpdateSet(changes))
          .execute()
      })
    },
    async askNone() {
      await db.updateTable('acme_accounts').set({ is_asked: 0 }).execute()
    },
    async orders() {
      const rows = await db.selectFrom('acme_orders').selectAll().orderBy('name').execute()
      return rows.map(({ name, facts, key }) => ({
        ...(JSON.parse(facts) as Omit<KeptOrder, 'name' | 'key'>),
        name,
        key: key === null ? null : cipher.open(key, orderPlace(name)),
      }))
    },
    async keepOrder({ name, key, ...facts }) {
      const changes = {
        facts: JSON.stringify(facts),
        key: key === null ? null : cipher.seal(key, orderPlace(name)),
      }
      await db
        .insertInto('acme_orders')
        .values({ name, ...changes })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(changes))
        .execute()
    },
    async removeOrder(name) {
      await db.deleteFrom('acme_orders').where('name', '=', name).execute()
    },
  }
}

function accountPlace(directory: string): string[] {
  return ['acme-account', directory]
}

function orderPlace(name: string): string[] {
  return ['acme-order', name]
}

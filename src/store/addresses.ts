import type { Selectable, Transaction } from 'kysely'
import { RackError } from '../domain/error.ts'
import type { AddressPool, AddressStore } from '../domain/store.ts'
import { lockApp, type StoreContext } from './context.ts'
import type { Schema } from './schema.ts'
import { addressesAfter, addressText, overlaps, rangeOf, subnetsOf } from './subnets.ts'

/** Subnets and addresses as rows; that none is given twice is held by the tables too. */
export function createAddressStore(context: StoreContext): AddressStore {
  const { db } = context
  return {
    subnet: async (app, pool, isUsable) =>
      await db.transaction().execute(async (transaction) => {
        await lockApp(context, transaction, app)
        const own = await transaction
          .selectFrom('subnets')
          .select('cidr')
          .where('app', '=', app)
          .executeTakeFirst()
        if (own) return own.cidr
        await context.dialect.lockSubnets(transaction)
        const cidr = await chooseSubnet(transaction, pool, isUsable)
        await transaction.insertInto('subnets').values({ app, cidr, last_given: 0 }).execute()
        return cidr
      }),
    take: async (app, holder) =>
      await db.transaction().execute(async (transaction) => {
        const subnet = await lockSubnet(context, transaction, app)
        return await takeIn(transaction, subnet, holder)
      }),
    async free(app, holder) {
      await db.deleteFrom('addresses').where('app', '=', app).where('holder', '=', holder).execute()
    },
    holders: async (app) =>
      await db
        .selectFrom('addresses')
        .select(['holder', 'address'])
        .where('app', '=', app)
        .orderBy('holder')
        .execute(),
    async freeSubnet(app) {
      await db.deleteFrom('subnets').where('app', '=', app).execute()
    },
  }
}

async function chooseSubnet(
  transaction: Transaction<Schema>,
  pool: AddressPool,
  isUsable: (cidr: string) => boolean,
): Promise<string> {
  const rows = await transaction.selectFrom('subnets').select('cidr').execute()
  // Ranges, not texts: the pool, or the size of its subnets, may have been another when a row was written.
  const taken = rows.map((row) => rangeOf(row.cidr))
  for (const cidr of subnetsOf(pool)) {
    const range = rangeOf(cidr)
    if (!taken.some((other) => overlaps(range, other)) && isUsable(cidr)) return cidr
  }
  throw new RackError('capacity', `the address pool ${pool.cidr} has no subnet left for another app`, {
    hint: 'Delete an app, or install the rack with a larger pool.',
    details: { pool: pool.cidr, subnetBits: pool.subnetBits, apps: rows.length },
  })
}

async function lockSubnet(
  { dialect }: StoreContext,
  transaction: Transaction<Schema>,
  app: string,
): Promise<Selectable<Schema['subnets']>> {
  const subnet = await transaction
    .selectFrom('subnets')
    .selectAll()
    .where('app', '=', app)
    .$if(dialect.hasRowLocks, (query) => query.forUpdate())
    .executeTakeFirst()
  if (subnet) return subnet
  throw new RackError('not-found', `"${app}" has no subnet`, {
    hint: `Promote a release of it: rack releases -a ${app}`,
  })
}

async function takeIn(
  transaction: Transaction<Schema>,
  { app, cidr, last_given: lastGiven }: Selectable<Schema['subnets']>,
  holder: string,
): Promise<string> {
  const rows = await transaction
    .selectFrom('addresses')
    .select(['holder', 'address'])
    .where('app', '=', app)
    .execute()
  const own = rows.find((row) => row.holder === holder)
  if (own) return own.address
  const taken = new Set(rows.map((row) => row.address))
  // After the one given last: an address that was just freed may still be in someone's table.
  for (const number of addressesAfter(cidr, lastGiven)) {
    const address = addressText(number)
    if (taken.has(address)) continue
    await transaction.insertInto('addresses').values({ app, holder, address }).execute()
    await transaction.updateTable('subnets').set({ last_given: number }).where('app', '=', app).execute()
    return address
  }
  throw new RackError('capacity', `the subnet ${cidr} of "${app}" has no address left`, {
    hint: 'Run fewer copies, or install the rack with larger subnets.',
    details: { subnet: cidr, addresses: rows.length },
  })
}

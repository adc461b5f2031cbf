import type { Selectable, Transaction } from 'kysely'
import { RackError } from '../domain/error.ts'
import { cidrsOverlap, formatIpv4 } from '../lib/cidr.ts'
import type { StoreContext } from './context.ts'
import type { Schema } from './schema.ts'
import { addressesAfter, rangeOf, subnetsOf, type SubnetPool } from './subnets.ts'

/** Rows in which an engine keeps the addresses of its networks: no verb knows of them, and `main` hands them over. */
export type AddressTable = ReturnType<typeof createAddressTable>

/** Subnets and addresses as rows; that none is given twice is held by the tables too. */
export function createAddressTable(context: StoreContext) {
  const { db } = context
  return {
    async subnet(network: string, pool: SubnetPool, isUsable: (cidr: string) => boolean): Promise<string> {
      const own = await db
        .selectFrom('subnets')
        .select('cidr')
        .where('network', '=', network)
        .executeTakeFirst()
      if (own) return own.cidr
      return await db.transaction().execute(async (transaction) => {
        await context.dialect.lockSubnets(transaction)
        return await giveSubnet(transaction, network, pool, isUsable)
      })
    },
    take: async (network: string, holder: string): Promise<string> =>
      await db.transaction().execute(async (transaction) => {
        const subnet = await lockSubnet(context, transaction, network)
        return await takeIn(transaction, subnet, holder)
      }),
    async free(network: string, holder: string): Promise<void> {
      await db.deleteFrom('addresses').where('network', '=', network).where('holder', '=', holder).execute()
    },
    holders: async (network: string): Promise<{ holder: string; address: string }[]> =>
      await db
        .selectFrom('addresses')
        .select(['holder', 'address'])
        .where('network', '=', network)
        .orderBy('holder')
        .execute(),
    async freeSubnet(network: string): Promise<void> {
      await db.deleteFrom('subnets').where('network', '=', network).execute()
    },
  }
}

async function giveSubnet(
  transaction: Transaction<Schema>,
  network: string,
  pool: SubnetPool,
  isUsable: (cidr: string) => boolean,
): Promise<string> {
  const rows = await transaction.selectFrom('subnets').select(['network', 'cidr']).execute()
  // Somebody may have asked for the same one in between.
  const own = rows.find((row) => row.network === network)
  if (own) return own.cidr
  const taken = rows.map((row) => row.cidr)
  const cidr = chooseSubnet(taken, pool, isUsable)
  await transaction.insertInto('subnets').values({ network, cidr, last_given: 0 }).execute()
  return cidr
}

function chooseSubnet(taken: string[], pool: SubnetPool, isUsable: (cidr: string) => boolean): string {
  // Ranges, not texts: the pool, or the size of its subnets, may have been another when a row was written.
  const ranges = taken.map(rangeOf)
  for (const cidr of subnetsOf(pool)) {
    const range = rangeOf(cidr)
    if (!ranges.some((other) => cidrsOverlap(range, other)) && isUsable(cidr)) return cidr
  }
  throw new RackError('capacity', `the address pool ${pool.cidr} has no subnet left for another network`, {
    hint: 'Delete an app, or install the rack with a larger pool.',
    details: { pool: pool.cidr, subnetBits: pool.subnetBits, networks: taken.length },
  })
}

async function lockSubnet(
  { dialect }: StoreContext,
  transaction: Transaction<Schema>,
  network: string,
): Promise<Selectable<Schema['subnets']>> {
  const subnet = await transaction
    .selectFrom('subnets')
    .selectAll()
    .where('network', '=', network)
    .$if(dialect.hasRowLocks, (query) => query.forUpdate())
    .executeTakeFirst()
  if (subnet) return subnet
  throw new RackError('not-found', `the network "${network}" has no subnet`)
}

async function takeIn(
  transaction: Transaction<Schema>,
  { network, cidr, last_given: lastGiven }: Selectable<Schema['subnets']>,
  holder: string,
): Promise<string> {
  const rows = await transaction
    .selectFrom('addresses')
    .select(['holder', 'address'])
    .where('network', '=', network)
    .execute()
  const own = rows.find((row) => row.holder === holder)
  if (own) return own.address
  const taken = new Set(rows.map((row) => row.address))
  // After the one given last: an address that was just freed may still be in someone's table.
  for (const number of addressesAfter(cidr, lastGiven)) {
    const address = formatIpv4(number)
    if (taken.has(address)) continue
    await transaction.insertInto('addresses').values({ network, holder, address }).execute()
    await transaction
      .updateTable('subnets')
      .set({ last_given: number })
      .where('network', '=', network)
      .execute()
    return address
  }
  throw new RackError('capacity', `the subnet ${cidr} of the network "${network}" has no address left`, {
    hint: 'Run fewer copies, or install the rack with larger subnets.',
    details: { subnet: cidr, addresses: rows.length },
  })
}

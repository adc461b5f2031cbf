import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The tables before: a subnet was an app's, and went with its row. */
interface Before {
  subnets: { app: string; cidr: string; last_given: number }
  addresses: { app: string; holder: string; address: string }
}

interface After {
  subnets: { network: string; cidr: string; last_given: number }
  addresses: { network: string; holder: string; address: string }
}

/** Subnets and addresses are an engine's, by the keys of its networks: until now an app's name was the key of its one. */
export function addressesByNetwork(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const before = db as unknown as Kysely<Before>
      const subnets = await before.selectFrom('subnets').selectAll().execute()
      const addresses = await before.selectFrom('addresses').selectAll().execute()
      // Made anew: SQLite drops no foreign key.
      await db.schema.dropTable('addresses').execute()
      await db.schema.dropTable('subnets').execute()
      await createTables(db)
      const after = db as unknown as Kysely<After>
      for (const { app: network, ...subnet } of subnets)
        await after
          .insertInto('subnets')
          .values({ network, ...subnet })
          .execute()
      for (const { app: network, ...address } of addresses)
        await after
          .insertInto('addresses')
          .values({ network, ...address })
          .execute()
    },
  }
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('subnets')
    .addColumn('network', 'text', (column) => column.primaryKey())
    .addColumn('cidr', 'text', (column) => column.notNull().unique())
    .addColumn('last_given', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('addresses')
    .addColumn('network', 'text', (column) => column.notNull())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull().unique())
    .addPrimaryKeyConstraint('addresses_key', ['network', 'holder'])
    .addForeignKeyConstraint('addresses_subnet', ['network'], 'subnets', ['network'], (key) =>
      key.onDelete('cascade'),
    )
    .execute()
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openStore } from '../../src/store/open-store.ts'
import { startPostgresDatabases, startSqlite, type Databases } from '../support/databases.ts'
import {
  auditBeforeChain,
  tokensBeforeRoles,
  acmeBeforeOrders,
  processesBeforeEnds,
} from '../support/earlier-tables.ts'
import { createMemoryAddresses } from '../support/memory-addresses.ts'
import { addressContract, type AddressHarness } from './addresses.ts'

addressContract('in memory', async () => ({
  create: async () => ({ addresses: createMemoryAddresses(), [Symbol.asyncDispose]: async () => {} }),
  [Symbol.asyncDispose]: async () => {},
}))
addressContract('SQLite', async () => harnessOf(await startSqlite()))
addressContract('Postgres', async () => harnessOf(await startPostgresDatabases()))

describe('a store of an earlier version, whose subnets were of apps', () => {
  test('SQLite keeps its addresses', async () => await keepsAddresses(await startSqlite()))
  test('Postgres keeps its addresses', async () => await keepsAddresses(await startPostgresDatabases()))
})

function harnessOf(databases: Databases): AddressHarness {
  return {
    async create() {
      await using undo = new AsyncDisposableStack()
      const database = undo.use(await databases.createDatabase())
      const store = await openStore({ rack: 'home', ...database.options })
      undo.defer(async () => store.close())
      const stack = undo.move()
      return { addresses: store.addresses, [Symbol.asyncDispose]: async () => stack.disposeAsync() }
    },
    [Symbol.asyncDispose]: async () => databases[Symbol.asyncDispose](),
  }
}

async function keepsAddresses(given: Databases): Promise<void> {
  await using databases = given
  await using database = await databases.createDatabase()
  const pool = { cidr: '10.213.0.0/16', subnetBits: 24 }
  const before = await openStore({ rack: 'home', ...database.options })
  await before.apps.create('shop')
  await before.close()
  for (const statement of backToApps) await database.execute(statement)
  const store = await openStore({ rack: 'home', ...database.options })
  const { addresses } = store
  assert.equal(await addresses.subnet('shop', pool, () => false), '10.213.4.0/24')
  assert.deepEqual(await addresses.holders('shop'), [{ holder: 'PAAAAAAAAAA', address: '10.213.4.7' }])
  assert.equal(await addresses.take('shop', 'PBBBBBBBBBB'), '10.213.4.8', 'it goes on behind the last')
  await store.apps.remove('shop')
  assert.equal((await addresses.holders('shop')).length, 2, 'they are the engine\u2019s to free')
  await store.close()
}

/** The two tables as they were, with a row each; what has come since is made again. */
const backToApps = [
  ...auditBeforeChain,
  ...tokensBeforeRoles,
  ...acmeBeforeOrders,
  ...processesBeforeEnds,
  `alter table endings drop column kind`,
  `drop table share_keys`,
  `drop table shares`,
  `drop table noticed_ports`,
  `drop table release_links`,
  `drop table service_versions`,
  `drop table services`,
  `drop table timer_runs`,
  `drop table timers`,
  `drop table registries`,
  `drop table certificates`,
  `drop table authorities`,
  `drop table domains`,
  `drop table addresses`,
  `drop table subnets`,
  `create table subnets (app text primary key references apps (name) on delete cascade,
    cidr text not null unique, last_given bigint not null)`,
  `create table addresses (app text not null references subnets (app) on delete cascade,
    holder text not null, address text not null unique, constraint addresses_key primary key (app, holder))`,
  `insert into subnets values ('shop', '10.213.4.0/24', ${((10 * 256 + 213) * 256 + 4) * 256 + 7})`,
  `insert into addresses values ('shop', 'PAAAAAAAAAA', '10.213.4.7')`,
  `delete from kysely_migration where name >= '0006-addresses-by-network'`,
]

import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Dialect } from '../database.ts'

/** A migration is never changed once it has left the house; what comes after it is another one. */
export function createTables(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await createApps(db)
      await createBuilds(db, dialect)
      await createReleases(db, dialect)
      await createOperations(db, dialect)
      await createFormations(db)
      await createAddresses(db)
      await createSettings(db)
    },
  }
}

async function createApps(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('apps')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('status', 'text', (column) => column.notNull())
    // No foreign key: releases point here, and a circle of keys can't be deleted in one go.
    .addColumn('release', 'text')
    .addColumn('locked', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('created', 'text', (column) => column.notNull())
    .execute()
}

async function createBuilds(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await dialect
    .addSequence(db.schema.createTable('builds'))
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('release', 'text')
    .addColumn('reason', 'text')
    .addColumn('created', 'text', (column) => column.notNull())
    .addColumn('started', 'text')
    .addColumn('ended', 'text')
    .addColumn('content', 'text')
    .addForeignKeyConstraint('builds_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
    .execute()
  await db.schema.createIndex('builds_of_app').on('builds').columns(['app', 'seq']).execute()
  await db.schema.createIndex('builds_in_status').on('builds').columns(['status', 'seq']).execute()
}

async function createReleases(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await dialect
    .addSequence(db.schema.createTable('releases'))
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('build', 'text')
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('based_on', 'text')
    .addColumn('environment', 'text', (column) => column.notNull())
    .addColumn('created', 'text', (column) => column.notNull())
    .addForeignKeyConstraint('releases_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
    .addForeignKeyConstraint('releases_build', ['build'], 'builds', ['id'], (key) => key.onDelete('set null'))
    .execute()
  await db.schema.createIndex('releases_of_app').on('releases').columns(['app', 'seq']).execute()
  await db.schema.createIndex('releases_of_build').on('releases').column('build').execute()
}

async function createOperations(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await dialect
    .addSequence(db.schema.createTable('operations'))
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('is_exclusive', 'integer', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('intent', 'text', (column) => column.notNull())
    .addColumn('app_status_before', 'text', (column) => column.notNull())
    .addColumn('started', 'text', (column) => column.notNull())
    .addColumn('ended', 'text')
    .addColumn('error', 'text')
    .addColumn('receipt', 'text')
    .addForeignKeyConstraint('operations_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
    .execute()
  await db.schema.createIndex('operations_of_app').on('operations').columns(['app', 'seq']).execute()
  await db.schema.createIndex('operations_in_status').on('operations').columns(['status', 'seq']).execute()
  await db.schema
    .createIndex('operations_one_at_a_time')
    .unique()
    .on('operations')
    .column('app')
    .where(sql<boolean>`is_exclusive = 1 and status = 'running'`)
    .execute()
}

async function createFormations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('formations')
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('process', 'text', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('cpu_units', 'bigint', (column) => column.notNull())
    .addColumn('memory_bytes', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('formations_key', ['app', 'process'])
    .addForeignKeyConstraint('formations_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
    .execute()
}

async function createAddresses(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('subnets')
    .addColumn('app', 'text', (column) => column.primaryKey())
    .addColumn('cidr', 'text', (column) => column.notNull().unique())
    .addColumn('last_given', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('subnets_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
    .execute()
  await db.schema
    .createTable('addresses')
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull().unique())
    .addPrimaryKeyConstraint('addresses_key', ['app', 'holder'])
    .addForeignKeyConstraint('addresses_subnet', ['app'], 'subnets', ['app'], (key) =>
      key.onDelete('cascade'),
    )
    .execute()
}

async function createSettings(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tokens')
    .addColumn('sha256', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('permission', 'text', (column) => column.notNull())
    .addColumn('created', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('parameters')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('identity')
    .addColumn('single', 'integer', (column) => column.primaryKey().check(sql`single = 1`))
    .addColumn('rack', 'text', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('created', 'text', (column) => column.notNull())
    .execute()
}

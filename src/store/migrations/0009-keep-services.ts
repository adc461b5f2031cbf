import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Dialect } from '../database.ts'

/** Services, the versions of their addresses, and the links of releases. */
export function keepServices(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('services')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('version', 'text', (column) => column.notNull())
        .addColumn('created', 'text', (column) => column.notNull())
        .execute()
      await dialect
        .addSequence(db.schema.createTable('service_versions'))
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('service', 'text', (column) => column.notNull())
        .addColumn('address', 'text', (column) => column.notNull())
        .addColumn('created', 'text', (column) => column.notNull())
        .addForeignKeyConstraint('service_versions_service', ['service'], 'services', ['name'], (key) =>
          key.onDelete('cascade'),
        )
        .execute()
      await db.schema
        .createIndex('service_versions_of_service')
        .on('service_versions')
        .column('service')
        .execute()
      await db.schema
        .createTable('release_links')
        .addColumn('release', 'text', (column) => column.notNull())
        .addColumn('alias', 'text', (column) => column.notNull())
        .addColumn('service', 'text', (column) => column.notNull())
        .addColumn('version', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('release_links_key', ['release', 'alias'])
        .addForeignKeyConstraint('release_links_release', ['release'], 'releases', ['id'], (key) =>
          key.onDelete('cascade'),
        )
        .execute()
      await db.schema.createIndex('release_links_of_version').on('release_links').column('version').execute()
    },
  }
}

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Dialect } from '../database.ts'

/** The timers of what is live, and what has become of their runs. */
export function keepTimers(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('timers')
        .addColumn('app', 'text', (column) => column.notNull())
        .addColumn('process', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('schedule', 'text', (column) => column.notNull())
        .addColumn('timezone', 'text', (column) => column.notNull())
        .addColumn('overlap', 'text', (column) => column.notNull())
        .addColumn('since', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('timers_key', ['app', 'process', 'name'])
        .addForeignKeyConstraint('timers_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
        .execute()
      await createRuns(db, dialect)
    },
  }
}

async function createRuns(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await dialect
    .addSequence(db.schema.createTable('timer_runs'))
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('process', 'text', (column) => column.notNull())
    .addColumn('timer', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('due', 'text', (column) => column.notNull())
    .addColumn('missed', 'integer', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('operation', 'text')
    .addColumn('process_id', 'text')
    .addColumn('release', 'text')
    .addColumn('started', 'text')
    .addColumn('ended', 'text')
    .addColumn('exit_code', 'integer')
    .addForeignKeyConstraint('timer_runs_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
    .execute()
  await db.schema.createIndex('timer_runs_of_app').on('timer_runs').columns(['app', 'seq']).execute()
  await db.schema.createIndex('timer_runs_of_operation').on('timer_runs').column('operation').execute()
  await db.schema.createIndex('timer_runs_in_status').on('timer_runs').column('status').execute()
}

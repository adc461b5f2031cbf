import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Dialect } from '../database.ts'

/** What the rack remembers of what was, apart from the journal. */
export function keepHistory(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await createLives(db, dialect)
      await finishCreations(db)
      await createPolicies(db)
      await createEvents(db, dialect)
    },
  }
}

/** Which release was live when: until now the journal told it, which is cut from here on; what it knows is taken over. */
async function createLives(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await dialect
    .addSequence(db.schema.createTable('lives'))
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('release', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addForeignKeyConstraint('lives_app', ['app'], 'apps', ['name'], (key) => key.onDelete('cascade'))
    .execute()
  await db.schema.createIndex('lives_of_app').on('lives').columns(['app', 'seq']).execute()
  await db.schema.createIndex('lives_of_release').on('lives').columns(['app', 'release', 'seq']).execute()
  for (const { app, release, since } of await livesOfJournal(db)) {
    await sql`insert into lives (app, release, since) values (${app}, ${release}, ${since})`.execute(db)
  }
}

/** An app's creation was two writes, and a kill between them left one that was being created for good. */
async function finishCreations(db: Kysely<unknown>): Promise<void> {
  await sql`update apps set status = 'running' where status = 'creating'`.execute(db)
}

async function createPolicies(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('policies')
    .addColumn('revision', 'integer', (column) => column.primaryKey())
    .addColumn('policy', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .execute()
}

async function createEvents(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await dialect
    .addSequence(db.schema.createTable('events'))
    .addColumn('time', 'text', (column) => column.notNull())
    .addColumn('noun', 'text', (column) => column.notNull())
    .addColumn('change', 'text', (column) => column.notNull())
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('facts', 'text', (column) => column.notNull())
    .execute()
}

interface Life {
  app: string
  release: string
  since: string
}

async function livesOfJournal(db: Kysely<unknown>): Promise<Life[]> {
  const { rows } = await sql<{ app: string; intent: string; ended: string }>`
    select app, intent, ended from operations where kind = 'promote' and status = 'complete' order by seq
  `.execute(db)
  const live = new Map<string, string>()
  const lives: Life[] = []
  for (const { app, intent, ended } of rows) {
    const { release } = JSON.parse(intent) as { release?: string }
    if (release === undefined || live.get(app) === release) continue
    live.set(app, release)
    lives.push({ app, release, since: ended })
  }
  return lives
}

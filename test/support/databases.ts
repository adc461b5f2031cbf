import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { StoreOptions } from '../../src/store/open-store.ts'
import { query, startPostgres } from './postgres.ts'

/** A kind of database, running. */
export interface Databases extends AsyncDisposable {
  createDatabase(): Promise<TestDatabase>
}

/** A database of one test's own, empty until a store is opened on it. */
export interface TestDatabase extends AsyncDisposable {
  options: Pick<StoreOptions, 'directory' | 'url' | 'keyFile'>
  /** Changes rows behind the store's back. */
  execute(text: string): Promise<void>
  /** All that rests in the database, as bytes that a thief would see. */
  dump(): Promise<string>
}

export async function startSqlite(): Promise<Databases> {
  return { createDatabase: createSqlite, [Symbol.asyncDispose]: async () => {} }
}

async function createSqlite(): Promise<TestDatabase> {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-store-'))
  const data = join(directory.path, 'data')
  return {
    options: { directory: data, keyFile: join(directory.path, 'key') },
    async execute(text) {
      using database = new DatabaseSync(join(data, 'store.sqlite'), { timeout: 5000 })
      database.exec(text)
    },
    async dump() {
      const names = await readdir(data)
      const files = await Promise.all(names.map(async (name) => readFile(join(data, name), 'latin1')))
      return files.join('\n')
    },
    [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
  }
}

export async function startPostgresDatabases(): Promise<Databases> {
  const server = await startPostgres()
  return {
    async createDatabase() {
      const directory = await mkdtempDisposable(join(tmpdir(), 'rack-store-'))
      const url = await server.createDatabase()
      return {
        options: { url, keyFile: join(directory.path, 'key') },
        execute: async (text) => void (await query(url, text)),
        dump: async () => await dumpPostgres(url),
        [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
      }
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  }
}

async function dumpPostgres(url: string): Promise<string> {
  const tables = await query(url, `select tablename as name from pg_tables where schemaname = 'public'`)
  const rows = tables.map(async ({ name }) => query(url, `select t::text as row from ${String(name)} t`))
  return JSON.stringify(await Promise.all(rows))
}

import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openStore } from './open-store.ts'
import { openSqlite } from './sqlite.ts'

async function makePlace() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'sqlite-'))
  const data = join(directory.path, 'data')
  return {
    data,
    file: join(data, 'store.sqlite'),
    openStore: async () => openStore({ rack: 'home', directory: data, keyFile: join(data, 'key') }),
    [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
  }
}

test('what is committed is on the disk, and foreign keys hold', async () => {
  await using place = await makePlace()
  const { db, close } = await openSqlite(place.data)
  const settingOf = async (name: string) =>
    Object.values((await sql`pragma ${sql.raw(name)}`.execute(db)).rows[0]!)[0]
  assert.equal(await settingOf('journal_mode'), 'wal')
  assert.equal(await settingOf('synchronous'), 2, 'FULL')
  assert.equal(await settingOf('foreign_keys'), 1)
  assert.equal(await settingOf('busy_timeout'), 5000)
  await close()
})

test('the files are their owner’s alone', async () => {
  await using place = await makePlace()
  const store = await place.openStore()
  await store.apps.create('shop')
  assert.equal((await stat(place.data)).mode & 0o777, 0o700)
  for (const name of await readdir(place.data)) {
    assert.equal((await stat(join(place.data, name))).mode & 0o777, 0o600, name)
  }
  await store.close()
})

test('a file that is no database, and a damaged one, are said with a hint', async () => {
  await using place = await makePlace()
  const store = await place.openStore()
  for (let i = 0; i < 200; i++) await store.parameters.set(`name-${i}`, 'x'.repeat(200))
  await store.close()
  const isDamaged = { code: 'store-failed', hint: /backup/ }
  await truncate(place.file, 20_000)
  await assert.rejects(async () => {
    const again = await place.openStore()
    for (let i = 0; i < 200; i++) await again.parameters.set(`name-${i}`, 'y')
  }, isDamaged)
  await writeFile(place.file, 'not a database, but a letter of some length'.repeat(100))
  await assert.rejects(place.openStore(), isDamaged)
})

test('a migration that fails leaves nothing of itself', async () => {
  await using place = await makePlace()
  await (await openSqlite(place.data)).close()
  using raw = new DatabaseSync(place.file)
  const count = `select count(*) as tables from sqlite_master where type = 'table' and name not like 'kysely%'`
  const tables = () => Number(raw.prepare(count).get()?.['tables'])
  // In the way of the last of the tables.
  raw.exec('create table identity (x)')
  await assert.rejects(place.openStore(), { code: 'store-failed' })
  assert.equal(tables(), 1)
  raw.exec('drop table identity')
  const store = await place.openStore()
  assert.ok(tables() > 9)
  await store.close()
})

test('a transaction that failed leaves the database usable', async () => {
  await using place = await makePlace()
  const { db, close } = await openSqlite(place.data)
  const bug = new Error('a bug')
  const failing = db.transaction().execute(async () => {
    throw bug
  })
  await assert.rejects(failing, (error) => error === bug)
  await assert.rejects(sql`select * from none`.execute(db), {
    code: 'store-failed',
    message: /no such table/,
  })
  assert.deepEqual((await sql`select 1 as one`.execute(db)).rows, [{ one: 1 }])
  await close()
  await close()
})

test('a directory that cannot be made is said', async () => {
  await using place = await makePlace()
  await openSqlite(place.data).then(async ({ close }) => close())
  const below = join(place.file, 'below')
  await assert.rejects(openSqlite(below), { code: 'store-failed', hint: /permissions/ })
})

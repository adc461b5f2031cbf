import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { openStore } from '../../src/store/open-store.ts'
import { query, startPostgres } from '../support/postgres.ts'
import { startPostgresDatabases, startSqlite } from '../support/databases.ts'
import { storeContract } from './store.ts'

storeContract('SQLite', startSqlite)
storeContract('Postgres', startPostgresDatabases)

test('a Postgres that goes away is store-failed with a hint', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-store-'))
  await using server = await startPostgres()
  const keyFile = join(directory.path, 'key')
  const url = await server.createDatabase()
  const store = await openStore({ rack: 'home', url, keyFile })
  await server.stop()
  const isStoreFailed = { code: 'store-failed', hint: /RACK_DATABASE_URL/ }
  await assert.rejects(store.apps.create('shop'), isStoreFailed)
  await assert.rejects(
    store.releases.append('shop', () => assert.fail('not asked')),
    isStoreFailed,
  )
  await assert.rejects(openStore({ rack: 'home', url, keyFile }), isStoreFailed)
  await store.close()
})

test('connections that Postgres has ended are replaced', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-store-'))
  await using server = await startPostgres()
  const url = await server.createDatabase()
  const store = await openStore({ rack: 'home', url, keyFile: join(directory.path, 'key') })
  await store.apps.create('shop')
  await query(url, 'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()')
  const isBack = async () => (await store.apps.get('shop').catch(() => null))?.name === 'shop'
  await until(isBack, { deadlineMs: 5000, what: 'the store to connect again' })
  await store.close()
})

test('a URL of no database is refused without showing its password', async () => {
  for (const url of [
    'postgres://user:pass-4711@host:port/db',
    'mysql://root:pass-4711@host/db',
    'pass-4711',
  ]) {
    const error = await openStore({ rack: 'home', url, keyFile: '/nonexistent/key' }).then(
      () => assert.fail('opened'),
      (error: unknown) => error as Error & { code: string },
    )
    assert.equal(error.code, 'invalid', url)
    assert.ok(!JSON.stringify([error.message, error.stack, error.cause]).includes('pass-4711'), url)
  }
})

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Lease } from '../../src/domain/store.ts'
import { until } from '../../src/lib/poll.ts'
import { leadStore } from '../../src/store/open-store.ts'
import { query, startPostgres } from '../support/postgres.ts'

const program = fileURLToPath(new URL('./store-leader.ts', import.meta.url))
const daemon = fileURLToPath(new URL('../../src/main/daemon.ts', import.meta.url))

interface Place {
  keyFile: string
  directory?: string
  url?: string
}

/** A program that leads the store of a place. */
async function startLeader({ keyFile, directory = '', url }: Place) {
  const args = [program, keyFile, directory, ...(url ? [url] : [])]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until(async () => said.includes('leading\n') || child.exitCode !== null, {
    deadlineMs: 10_000,
    what: 'the other program to lead',
  })
  return { child, said: () => said }
}

/** The lock is free when the system, or the server, has noticed the end of its holder. */
async function leadSoon(lead: () => Promise<Lease>): Promise<Lease> {
  let lease: Lease | null = null
  const isLeading = async () => {
    lease = await lead().catch((error: { code: string }) => {
      assert.equal(error.code, 'conflict')
      return null
    })
    return lease !== null
  }
  await until(isLeading, { deadlineMs: 5000, what: 'the lead to be free' })
  return lease ?? assert.fail('no lease')
}

async function checkKilledLeader(place: Place): Promise<void> {
  const lead = () => leadStore({ rack: 'home', ...place })
  const { child } = await startLeader(place)
  await assert.rejects(lead(), { code: 'conflict', hint: /One daemon at a time/ })
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  assert.deepEqual(await exit, [null, 'SIGKILL'])
  await using _lease = await leadSoon(lead)
  const late = await startLeader(place)
  assert.match(late.said(), /leads this store/)
}

test('a daemon that was killed leads no more: SQLite', { timeout: 60_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-lead-'))
  await checkKilledLeader({ directory: join(directory.path, 'data'), keyFile: join(directory.path, 'key') })
})

test('a daemon that was killed leads no more: Postgres', { timeout: 60_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-lead-'))
  await using server = await startPostgres()
  await checkKilledLeader({ url: await server.createDatabase(), keyFile: join(directory.path, 'key') })
})

test('whoever leads a Postgres is named', { timeout: 60_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-lead-'))
  await using server = await startPostgres()
  const place = { url: await server.createDatabase(), keyFile: join(directory.path, 'key') }
  const { child } = await startLeader(place)
  const expected = {
    code: 'conflict',
    message: new RegExp(`^rack daemon ${child.pid} on .* leads this store`),
  }
  await assert.rejects(leadStore({ rack: 'home', ...place }), expected)
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
})

test('a daemon that does not lead changes nothing of the store', { timeout: 60_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-lead-'))
  await using server = await startPostgres()
  const url = await server.createDatabase()
  const { name, keyFile } = { name: 'home', keyFile: join(directory.path, 'rack.key') }
  await using _lead = await leadStore({ rack: name, url, keyFile })
  const installation = {
    name,
    directory: directory.path,
    created: '2026-11-28T10:00:00.000Z',
    socketPath: '/none',
  }
  await writeFile(join(directory.path, 'rack.json'), JSON.stringify(installation))
  const env = { ...process.env, RACK_DATABASE_URL: url }
  const failed = promisify(execFile)(process.execPath, [daemon, '--dir', directory.path], { env })
  await assert.rejects(failed, { code: 1, stdout: /leads this store already/ })
  const tables = await query(url, `select tablename from pg_tables where schemaname = 'public'`)
  assert.deepEqual([tables, existsSync(keyFile)], [[], false])
})

test('a daemon that has lost its session of Postgres ends at once', { timeout: 60_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-lead-'))
  await using server = await startPostgres()
  const place = { url: await server.createDatabase(), keyFile: join(directory.path, 'key') }
  const { child, said } = await startLeader(place)
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(10_000) })
  await query(place.url, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'`)
  assert.deepEqual(await exit, [1, null])
  assert.match(said(), /no longer leads its store/)
})

test('a session that answers no more is a lost one', { timeout: 60_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-lead-'))
  await using server = await startPostgres()
  const place = { url: await server.createDatabase(), keyFile: join(directory.path, 'key') }
  const { child, said } = await startLeader(place)
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(40_000) })
  const [holder] = await query(place.url, `select pid from pg_locks where locktype = 'advisory'`)
  const backend = Number(holder?.['pid'])
  // As a machine that has lost its network does: the connection stays, and nothing comes.
  process.kill(backend, 'SIGSTOP')
  try {
    assert.deepEqual(await exit, [1, null])
  } finally {
    process.kill(backend, 'SIGCONT')
  }
  assert.match(said(), /no longer leads its store/)
})

import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'

test("a service's own dump goes out and in, whole; Ctrl-C ends the program inside", async () => {
  await using rack = await installRack()
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-dumps-'))
  await rack.run('services', 'create', 'postgres', '--name', 'main')
  const tables = 'create table notes as select generate_series(1, 200000) as id'
  await sql(rack, `create database shop; create database desk; \\c shop\n ${tables}`)

  // Out, as pg_dump writes it; in, where nothing is.
  const several = await rack.attempt(['services', 'export', 'main', '--output', join(folder.path, 'no.dump')])
  assert.match(several.stderr, /several databases: desk, postgres, shop[\s\S]*--database desk/)
  const file = join(folder.path, 'shop.dump')
  await rack.run('services', 'export', 'main', '--database', 'shop', '--output', file)
  const dump = await readFile(file)
  assert.equal(dump.subarray(0, 5).toString(), 'PGDMP')
  const bring = (input: Uint8Array | string, ...words: string[]) =>
    rack.attempt(['services', 'import', 'main', '--database', 'desk', ...words], { input })
  const cut = await bring(dump.subarray(0, dump.length - 1000))
  assert.equal(cut.code, 1)
  assert.match(cut.stderr, /pg_restore: error: [\s\S]*Nothing of it is in desk of main/)
  assert.equal((await bring(dump)).code, 0)
  assert.equal(await sql(rack, '\\c desk\n select count(*), sum(id) from notes'), '200000|20000100000')
  const full = await bring(dump)
  assert.match(full.stderr, /desk of main is not empty[\s\S]*--force replaces what has the same name/)
  await sql(rack, '\\c desk\n delete from notes; create table others as select 1 as id')
  assert.equal((await bring(dump, '--force')).code, 0)
  const both = '\\c desk\n select (select count(*) from notes), (select count(*) from others)'
  assert.equal(await sql(rack, both), '200000|1')

  // A table that somebody has locked is waited for; who waits no longer leaves nothing, here and there.
  const lock = '\\c desk\nbegin; lock table notes in access exclusive mode; select pg_sleep(120);\n'
  const locking = rack.start(['services', 'console', 'main'], { input: lock })
  await untilSays(rack, "select count(*) from pg_locks where granted and mode = 'AccessExclusiveLock'", '1')
  const waiting = "select count(*) from pg_locks where not granted and locktype = 'relation'"
  const words = ['--database', 'desk', '--output', join(folder.path, 'left.dump')]
  const leaving = rack.start(['services', 'export', 'main', ...words])
  await untilSays(rack, waiting, '1')
  leaving.child.kill('SIGINT')
  const left = await leaving.said
  assert.equal(left.code, 130)
  assert.match(left.stderr, /the export was ended/)
  await untilSays(rack, "select count(*) from pg_stat_activity where application_name = 'pg_dump'", '0')
  assert.deepEqual(await readdir(folder.path), ['shop.dump'])
  const into = rack.start(['services', 'import', 'main', '--database', 'desk', '--force'], { input: dump })
  await untilSays(rack, waiting, '1')
  into.child.kill('SIGINT')
  assert.equal((await into.said).code, 130)
  await untilSays(rack, "select count(*) from pg_stat_activity where application_name = 'pg_restore'", '0')
  await sql(
    rack,
    "select pg_terminate_backend(pid) from pg_locks where mode = 'AccessExclusiveLock' and granted",
  )
  await locking.said
  assert.equal(await sql(rack, both), '200000|1')

  // A redis reads such a file when it starts.
  await rack.run('services', 'create', 'redis', '--name', 'cache')
  assert.match(await redis(rack, 'set kept yes'), /OK/)
  const rdb = join(folder.path, 'cache.rdb')
  await rack.run('services', 'export', 'cache', '--output', rdb)
  await redis(rack, 'flushall')
  const input = await readFile(rdb)
  const taken = await rack.attempt(['services', 'import', 'cache'], { input })
  assert.equal(taken.code, 0, taken.stderr)
  assert.match(await redis(rack, 'get kept'), /yes/)
  const damaged = input.subarray(0, input.length - 12)
  const refused = await rack.attempt(['services', 'import', 'cache', '--force'], { input: damaged })
  assert.equal(refused.code, 1)
  assert.match(await redis(rack, 'get kept'), /yes/)
  assert.deepEqual(await rack.json<unknown[]>('services', 'backups'), [])

  const audit = await rack.run('audit')
  assert.match(audit, /export service +– +main .* cancelled$/m)
  assert.match(audit, /import service +– +cache .* done$/m)
})

async function redis(rack: InstalledRack, words: string): Promise<string> {
  return (await rack.attempt(['services', 'console', 'cache'], { input: `${words}\n` })).stdout
}

async function untilSays(rack: InstalledRack, statement: string, wanted: string): Promise<void> {
  const says = async () => (await sql(rack, statement)) === wanted
  await until(says, { deadlineMs: 60_000, intervalMs: 200, what: `${wanted} of ${statement}` })
}

/** The last line of what a console says to piped statements. */
async function sql(rack: InstalledRack, statements: string): Promise<string> {
  const input = `\\pset format unaligned\n\\pset tuples_only\n\\set ON_ERROR_STOP 1\n${statements};\n`
  const { code, stdout, stderr } = await rack.attempt(['services', 'console', 'main'], { input })
  assert.equal(code, 0, stderr)
  return stdout.trim().split('\n').at(-1)!
}

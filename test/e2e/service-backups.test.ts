import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'

const run = promisify(execFile)

test('a backup outlives its service, and makes another; a console and a proxy lead into both', async () => {
  await using rack = await installRack()
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-backups-'))
  await rack.run('services', 'create', 'postgres', '--name', 'main')
  await sql(
    rack,
    'main',
    'create database shop; \\c shop\n create table notes as select generate_series(1, 1000) as id',
  )

  // Kept by the rack, and written to a file.
  const kept = await rack.attempt(['services', 'backup', 'main'])
  assert.equal(kept.code, 0, kept.stderr)
  const id = kept.stdout.trim()
  assert.match(id, /^K[A-Z]{10}$/)
  assert.match(await rack.run('services', 'backups', 'main'), new RegExp(`^${id} +main +postgres 15 `, 'm'))
  assert.match(await rack.run('services', 'backups', 'info', id), /holds +roles\.sql .*shop\.dump/)
  const file = join(folder.path, 'main.tar.zst')
  await rack.run('services', 'backup', 'main', '--output', file)
  const refused = await rack.attempt(['services', 'restore', id])
  assert.match(refused.stderr, /this destroys something[\s\S]*--yes/)

  // The service goes, and all of its data.
  const deleted = await rack.attempt(['services', 'delete', 'main', '--volumes', '--yes'])
  assert.match(deleted.stderr, /its last backup makes one again: rack services restore K[A-Z]{10}/)
  assert.match(await rack.run('services', 'backups'), / final$/m)
  const older = await rack.attempt(['services', 'restore', id, '--version', '13'])
  assert.match(older.stderr, /of version 15, which 13 does not take/)
  await rack.run('services', 'restore', id)
  assert.equal(await sql(rack, 'main', '\\c shop\n select count(*), sum(id) from notes'), '1000|500500')
  await rack.run('services', 'restore', file, '--into', 'again')
  assert.equal(await sql(rack, 'again', '\\c shop\n select count(*), sum(id) from notes'), '1000|500500')

  // What is damaged touches nothing.
  const bytes = await readFile(file)
  await writeFile(file, bytes.subarray(0, bytes.length - 2000))
  const cut = await rack.attempt(['services', 'restore', file, '--into', 'cut'])
  assert.match(cut.stderr, /the backup cannot be used/)
  await writeFile(file, 'no backup')
  assert.match((await rack.attempt(['services', 'restore', file, '--into', 'cut'])).stderr, /cannot be used/)
  assert.doesNotMatch(await rack.run('services'), /^cut/m)
  assert.equal((await rack.json<unknown[]>('services', 'backups')).length, 3)

  await proxied(rack)
  await rack.run('services', 'delete', 'again', '--volumes', '--no-final-backup', '--yes')
  assert.equal((await rack.json<unknown[]>('services', 'backups')).length, 3)
  await rack.run('services', 'backups', 'delete', id, '--yes')
  assert.doesNotMatch(await rack.run('services', 'backups'), new RegExp(id))
})

test('who leaves a backup, or dies in one or in a restore, leaves nothing of it', async () => {
  await using rack = await installRack()
  await rack.run('services', 'create', 'postgres', '--name', 'main')
  await sql(rack, 'main', 'create table notes as select 1 as id')
  const whole = (await rack.run('services', 'backup', 'main')).trim()
  const listed = async () => (await rack.json<{ id: string }[]>('services', 'backups')).map(({ id }) => id)

  // A table that somebody has locked is waited for.
  const lock = 'begin; lock table notes in access exclusive mode; select pg_sleep(120);\n'
  const locking = rack.start(['services', 'console', 'main'], { input: lock })
  const dumps = "select count(*) from pg_stat_activity where application_name = 'pg_dump'"
  const left = rack.start(['services', 'backup', 'main'])
  await untilSays(rack, dumps, '1')
  left.child.kill('SIGINT')
  const said = await left.said
  assert.equal(said.code, 130)
  assert.match(said.stderr, /the backup was ended: nothing of it is there/)
  await untilSays(rack, dumps, '0')
  assert.deepEqual(await listed(), [whole])

  const dying = rack.start(['services', 'backup', 'main'])
  await untilSays(rack, dumps, '1')
  await killDaemon(rack)
  assert.notEqual((await dying.said).code, 0)
  locking.child.kill('SIGKILL')
  assert.deepEqual(await listed(), [whole])
  const kept = await readdir(join(rack.directory, 'objects'), { recursive: true })
  const ofBackups = kept.filter((name) => /K[A-Z]{10}\./.test(name))
  assert.deepEqual(
    ofBackups.filter((name) => !name.includes(whole)),
    [],
  )

  const restoring = rack.start(['services', 'restore', whole, '--into', 'again'])
  const isThere = async () => /^again +postgres +creating/m.test(await rack.run('services'))
  await until(isThere, { deadlineMs: 30_000, intervalMs: 100, what: 'the restore to begin' })
  await killDaemon(rack)
  assert.notEqual((await restoring.said).code, 0)
  const isGone = async () => !/^again /m.test(await rack.run('services'))
  await until(isGone, { deadlineMs: 60_000, intervalMs: 500, what: 'the half of it to go' })
  const volumes = await run('docker', ['volume', 'ls', '--quiet', '--filter', `name=${rack.name}-_again`])
  assert.equal(volumes.stdout, '')
  await rack.run('services', 'restore', whole, '--into', 'again')
  assert.equal(await sql(rack, 'again', 'select count(*) from notes'), '1')
})

async function killDaemon(rack: InstalledRack): Promise<void> {
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await rack.run('start')
}

async function untilSays(rack: InstalledRack, statement: string, wanted: string): Promise<void> {
  const says = async () => (await sql(rack, 'main', statement)) === wanted
  await until(says, { deadlineMs: 30_000, intervalMs: 200, what: `${wanted} of ${statement}` })
}

test('what has no backup and no console says so', async () => {
  await using rack = await installRack()
  await rack.run('services', 'create', 'amqp://app:secret@queue.example.com', '--name', 'far')
  const backup = await rack.attempt(['services', 'backup', 'far'])
  assert.match(
    backup.stderr,
    /far has no backup: somebody else runs it, and the rack has no program for amqp/,
  )
  assert.match((await rack.attempt(['services', 'console', 'far'])).stderr, /far has no console/)
  const proxy = await rack.attempt(['services', 'proxy', 'nobody'])
  assert.match(proxy.stderr, /there is no service "nobody"/)
  assert.match(
    (await rack.attempt(['services', 'backup', 'far', '-o', '-', '--json'])).stderr,
    /no room for --json/,
  )
})

/** Through a port of this machine, by a client of this machine. */
async function proxied(rack: InstalledRack): Promise<void> {
  const { child, said } = rack.start(['services', 'proxy', 'main', '--port', '0', '--json'])
  try {
    const [line] = (await once(child.stdout!, 'data')) as [string]
    const { local } = JSON.parse(line) as { local: string }
    const answer = await run('pg_isready', ['--host', '127.0.0.1', '--port', local.split(':')[1]!])
    assert.match(answer.stdout, /accepting connections/)
  } finally {
    child.kill('SIGINT')
    await said
  }
}

/** The last line of what a console says to piped statements. */
async function sql(rack: InstalledRack, service: string, statements: string): Promise<string> {
  const input = `\\pset format unaligned\n\\pset tuples_only\n\\set ON_ERROR_STOP 1\n${statements};\n`
  const { code, stdout, stderr } = await rack.attempt(['services', 'console', service], { input })
  assert.equal(code, 0, stderr)
  return stdout.trim().split('\n').at(-1)!
}

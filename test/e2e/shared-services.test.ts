import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { psqlApp, sqlOf } from '../support/psql-app.ts'
import { makeSource } from '../support/source.ts'

const run = promisify(execFile)

const app = ['--app', 'shop']

test('a rack gives a database to another one, whose app uses it until it is taken back', async () => {
  await using near = await installRack()
  await using far = await installRack()
  await using source = await makeSource(psqlApp)
  const port = await freePort()
  await near.run('parameters', 'set', 'shares.bind=127.0.0.1', `shares.port=${port}`)
  await near.run('services', 'create', 'postgres', '--name', 'main')
  for (const name of ['shop', 'blog']) await far.run('deploy', '--app', name, source.path)

  const file = join(far.directory, 'main.share')
  const line = ['--as', 'office', '--address', `127.0.0.1:${port}`, '--output', file]
  const shared = await near.attempt(['services', 'share', 'main', ...line])
  assert.equal(shared.code, 0, shared.stderr)
  assert.equal(shared.stdout, '')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await far.run('services', 'create', 'shared', '--from', file, '--name', 'main')
  await far.run('links', 'create', 'main', '--as', 'db', ...app, '--promote')
  await sqlOf(far, 'shop', "create table notes as select 'kept' as text")
  assert.match(await sqlOf(far, 'shop', 'select session_user, text from notes'), /_office_v1.*kept/)
  // By the address that the link's name stands for, from an app that is not linked.
  const address = (await inside(far, 'shop', 'getent hosts db')).split(/\s/)[0]!
  const stranger = await inside(far, 'blog', `psql "host=${address} user=x connect_timeout=9" -c '' 2>&1`)
  assert.match(stranger, /server closed the connection|refused|reset/i)

  // No daemon is in the way.
  for (const rack of [near, far]) {
    const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
    process.kill(daemon.pid, 'SIGKILL')
  }
  assert.match(await psqlInContainer(far, 'select text from notes'), /kept/)
  for (const rack of [near, far]) await rack.run('start')

  // A share more reloads the router: what is open now goes on in a worker that is replaced.
  const open = startSession(far)
  await untilSession(near, 'the session of the app')
  await near.run('services', 'share', 'main', '--as', 'branch')
  const denied = await near.attempt(['services', 'delete', 'main', '--yes'])
  assert.match(denied.stderr, /main is shared with office, branch[\s\S]*rack services unshare main/)
  await near.run('services', 'unshare', 'main', '--consumer', 'office', '--yes')
  assert.match((await open).stdout, /closed the connection unexpectedly|terminating connection/)
  assert.match(await sqlOf(far, 'shop', 'select 1'), /closed the connection|refused|reset/i)
  const left = await near.json<{ consumer: string }[]>('services', 'shares')
  assert.deepEqual(
    left.map(({ consumer }) => consumer),
    ['branch'],
  )

  const again = await far.attempt(['services', 'create', 'shared', '--from', file, '--name', 'other'])
  assert.match(again.stderr, /^error: the share of main for office was revoked by the rack that gave it/m)
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, -20))
  const cut = await far.attempt(['services', 'create', 'shared', '--from', file, '--name', 'other'])
  assert.match(cut.stderr, /^error: the line was cut/m)
})

/** Runs a command in the copy of an app; what it prints. */
async function inside(rack: InstalledRack, name: string, script: string): Promise<string> {
  const [copy] = await rack.json<{ id: string }[]>('ps', '--app', name)
  return (await rack.attempt(['exec', '--app', name, copy!.id, 'sh', '-c', script])).stdout
}

async function container(rack: InstalledRack, part: string): Promise<string> {
  const { stdout } = await run('docker', ['ps', '--quiet', '--filter', `name=${rack.name}-${part}-`])
  return stdout.trim()
}

async function psqlInContainer(rack: InstalledRack, statement: string): Promise<string> {
  const script = `psql --no-psqlrc --tuples-only "$DB_URL" -c "${statement}" 2>&1`
  return (await run('docker', ['exec', await container(rack, 'shop-web'), 'sh', '-c', script])).stdout
}

/** One that is in the middle of something for longer than the test may last. */
async function startSession(rack: InstalledRack): Promise<{ stdout: string }> {
  const script = `psql --no-psqlrc "$DB_URL" -c 'select pg_sleep(3600)' 2>&1; true`
  return await run('docker', ['exec', await container(rack, 'shop-web'), 'sh', '-c', script])
}

async function untilSession(rack: InstalledRack, what: string): Promise<void> {
  const query =
    "select count(*) from pg_stat_activity where query like '%pg_sleep(3600)%' and pid <> pg_backend_pid()"
  const command = ['exec', await container(rack, '_main'), 'psql', '-U', 'postgres', '-Atc', query]
  const isThere = async () => (await run('docker', command)).stdout.trim() === '1'
  await until(isThere, { deadlineMs: 60_000, intervalMs: 250, what })
}

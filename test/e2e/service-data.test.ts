import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { psqlApp, sqlOf } from '../support/psql-app.ts'
import { makeSource } from '../support/source.ts'

const run = promisify(execFile)

test('a service that apps link gets back what a backup has, in place', async () => {
  await using rack = await installRack()
  await using source = await makeSource(psqlApp)
  await rack.run('services', 'create', 'postgres', '--name', 'main')
  await rack.run('deploy', '--app', 'shop', source.path)
  await rack.run('links', 'create', 'main', '--as', 'db', '--app', 'shop', '--promote')
  await sqlOf(rack, 'shop', 'create table notes as select generate_series(1, 1000) as id')
  const id = (await rack.run('services', 'backup', 'main')).trim()
  await sqlOf(rack, 'shop', 'delete from notes where id > 10')
  // A login that is newer than the backup is there afterwards, and one that is older is not.
  await rack.run('links', 'rotate', 'db', '--app', 'shop', '--promote')

  const unasked = await rack.attempt(['services', 'restore', id])
  assert.match(unasked.stderr, /Add --yes/)
  const used = await rack.attempt(['services', 'restore', id, '--yes'])
  assert.match(used.stderr, /main is in use by shop[\s\S]*--force/)
  assert.equal(await sqlOf(rack, 'shop', 'select count(*) from notes'), '10')
  await rack.run('services', 'restore', id, '--force', '--yes')
  assert.equal(await sqlOf(rack, 'shop', 'select count(*), sum(id) from notes'), '1000|500500')
  assert.equal(await sqlOf(rack, 'shop', 'select session_user'), 'shop_db_v2')
  const logins = "select string_agg(rolname, ',') from pg_roles where rolcanlogin and rolname like 'shop%'"
  assert.equal(await sqlOf(rack, 'shop', logins), 'shop_db_v2')
  assert.deepEqual(await volumesOf(rack), [`${rack.name}-_main-data.2`])

  // A daemon that dies while the new volume is filled leaves the old one.
  await sqlOf(rack, 'shop', 'delete from notes where id > 20')
  const dying = rack.start(['services', 'restore', id, '--force', '--yes'])
  const isBegun = async () => (await volumesOf(rack)).length === 2
  await until(isBegun, { deadlineMs: 60_000, intervalMs: 100, what: 'the new volume' })
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await rack.run('start')
  assert.notEqual((await dying.said).code, 0)
  const isWhole = async () => (await volumesOf(rack)).join() === `${rack.name}-_main-data.2`
  await until(isWhole, { deadlineMs: 120_000, intervalMs: 500, what: 'the half of it to go' })
  assert.equal(await sqlOf(rack, 'shop', 'select count(*) from notes'), '20')
})

test('the files of an image that nobody knows are kept while it is stopped, and make another service', async () => {
  await using rack = await installRack()
  await rack.run('services', 'create', 'image', '--image', 'redis:7', '--port', '6379', '--name', 'thing')
  const ask = async (service: string, ...words: string[]) => {
    const filter = `name=${rack.name}-_${service}-`
    const { stdout: copy } = await run('docker', ['ps', '--quiet', '--filter', filter])
    return (await run('docker', ['exec', copy.trim(), 'redis-cli', ...words])).stdout.trim()
  }
  await ask('thing', 'set', 'word', 'kept')
  const schedule = await rack.attempt(['services', 'backup', 'thing', '--every', '30 3 * * *'])
  assert.match(schedule.stderr, /taken while it is stopped/)
  const kept = await rack.attempt(['services', 'backup', 'thing'])
  assert.match(kept.stderr, /taken while it is stopped/)
  await ask('thing', 'set', 'word', 'lost')
  await rack.run('services', 'restore', kept.stdout.trim(), '--into', 'other')
  assert.deepEqual([await ask('other', 'get', 'word'), await ask('thing', 'get', 'word')], ['kept', 'lost'])
})

async function volumesOf(rack: InstalledRack): Promise<string[]> {
  const filter = `name=${rack.name}-_main`
  const { stdout } = await run('docker', ['volume', 'ls', '--quiet', '--filter', filter])
  return stdout.split('\n').filter((line) => line !== '')
}

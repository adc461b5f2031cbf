import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { psqlApp, sqlOf } from '../support/psql-app.ts'
import { makeSource } from '../support/source.ts'

const run = promisify(execFile)

test('apps share a database that runs here, each by a login of its own', async () => {
  await using rack = await installRack()
  await using source = await makeSource(psqlApp)
  for (const app of ['shop', 'blog']) await rack.run('deploy', '--app', app, source.path)
  await rack.run('services', 'create', 'postgres', '--name', 'main')
  for (const app of ['shop', 'blog'])
    await rack.run('links', 'create', 'main', '--as', 'db', '--app', app, '--promote')

  await sqlOf(rack, 'shop', "create table notes as select 'kept' as text")
  assert.match(await sqlOf(rack, 'shop', 'select current_user, text from notes'), /shop_db.*kept/)
  assert.match(await sqlOf(rack, 'blog', 'select text from notes'), /relation "notes" does not exist/)
  assert.match(await sqlOf(rack, 'blog', 'select 1', 'shop_db'), /permission denied for database/)
  const first = await urlOf(rack, 'shop')
  assert.match(first, /^postgres:\/\/shop_db_v1:[^@]+@db:5432\/shop_db$/)
  assert.match(await rack.run('links'), /shop\n└─ db → main \(postgres at main:5432\/shop_db\)/)
  assert.match(await rack.run('links', 'check'), /^shop +db → main +web \(P\w+\) +[\d.]+ ms +[\d.]+ ms +–$/m)

  // Another password, and the data of before.
  await rack.run('links', 'rotate', 'db', '--app', 'shop', '--promote')
  assert.match(await urlOf(rack, 'shop'), /^postgres:\/\/shop_db_v2:/)
  assert.match(await sqlOf(rack, 'shop', 'select text from notes'), /kept/)
  await untilRoles(rack, ['blog_db_v1', 'shop_db_v2'])

  // Its container goes, and it is reached again by all.
  await run('docker', ['rm', '--force', await serviceContainer(rack)])
  const isBack = async () => (await sqlOf(rack, 'blog', 'select 40 + 2')).includes('42')
  await until(isBack, { deadlineMs: 60_000, intervalMs: 500, what: 'the service for the other app' })
  assert.match(await sqlOf(rack, 'shop', 'select text from notes'), /kept/)

  // Who is unlinked cannot log in any more, the other can; linked again it has its data.
  const linked = (await rack.json<{ id: string }[]>('releases', '--app', 'shop'))[0]!.id
  await rack.run('links', 'delete', 'db', '--app', 'shop', '--promote')
  await untilRoles(rack, ['blog_db_v1'])
  assert.match(await sqlOf(rack, 'blog', 'select 40 + 2'), /42/)
  const refused = await rack.attempt(['releases', 'promote', linked, '--app', 'shop'])
  assert.match(refused.stderr, /the login to main that \w+ had was revoked[\s\S]*rack releases rollback/)
  const back = await rack.attempt(['releases', 'rollback', linked, '--app', 'shop'])
  assert.equal(back.code, 0, back.stderr)
  assert.match(back.stderr, /the login to main of that time was revoked: db has one of today/)
  assert.match(await sqlOf(rack, 'shop', 'select text from notes'), /kept/)

  const denied = await rack.attempt(['apps', 'delete', 'shop', '--yes'])
  assert.match(denied.stderr, /shop links main[\s\S]*--unlink/)
  await rack.run('apps', 'delete', 'shop', '--yes', '--unlink')
  await untilRoles(rack, ['blog_db_v1'])
})

/** Runs a statement in an app's copy, as its link says, or in another database of the same server; what it prints. */
async function urlOf(rack: InstalledRack, app: string): Promise<string> {
  const found = await rack.json<{ name: string; value: string }[]>('env', '--app', app, '--process', 'web')
  return found.find(({ name }) => name === 'DB_URL')?.value ?? ''
}

async function serviceContainer(rack: InstalledRack): Promise<string> {
  const { stdout } = await run('docker', ['ps', '--quiet', '--filter', `name=${rack.name}-_main-`])
  return stdout.trim()
}

async function untilRoles(rack: InstalledRack, expected: string[]): Promise<void> {
  const query = "select rolname from pg_roles where rolcanlogin and rolname <> 'postgres' order by 1"
  const command = ['exec', await serviceContainer(rack), 'psql', '-U', 'postgres', '-Atc', query]
  let roles = ''
  const isSo = async () => {
    roles = (await run('docker', command)).stdout.trim()
    return roles === expected.join('\n')
  }
  await until(isSo, {
    deadlineMs: 120_000,
    intervalMs: 500,
    what: () => `the logins ${expected.join(', ')}; there are ${roles}`,
  })
}

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const compose = `services:
  web:
    image: busybox:1
    command: sh -c 'echo "goes to $$DB_HOST as $$DB_USERNAME"; grep -w db /etc/hosts; sleep 3600'
    stop_grace_period: 1s
  db:
    image: postgres:15
    environment: [POSTGRES_PASSWORD=local]
    volumes: ["data:/var/lib/postgresql/data"]
volumes:
  data:
`
const secret = 'p@ss:w%rd sesame4711'
const url = (user: string) => `postgres://${user}:${secret}@127.0.0.1:9/shop`
const app = ['--app', 'shop']

test('a stand-in gives way to a hosted service, keeps its data, and nobody sees the password', async () => {
  await using rack = await installRack()
  await using source = await makeSource({ 'docker-compose.yml': compose })
  await rack.run('deploy', ...app, source.path)
  await sql(rack, "create table notes as select 'kept' as text")

  const created = await rack.attempt(['services', 'create', 'url', '--name', 'main'], { input: url('first') })
  assert.equal(created.code, 0, created.stderr)
  assert.match(created.stderr, /^127\.0\.0\.1:9 does not answer from here: the connection is refused\n/)
  const linked = await rack.attempt(['links', 'create', 'main', '--as', 'db', ...app, '--promote'])
  assert.equal(linked.code, 0, linked.stderr)
  assert.match(
    linked.stderr,
    /db is a stand-in: it is not started while the app is linked; its data stays \(data\)/,
  )
  assert.deepEqual(await types(rack), ['web'])
  assert.match(
    await rack.run('env', ...app, '--process', 'web'),
    /^DB_PASSWORD +service link +p@ss:w%rd sesame4711$/m,
  )
  assert.match(await rack.run('links'), /^shop\n└─ db → main \(postgres at 127\.0\.0\.1:9\/shop\)\n$/)

  const changed = await rack.attempt(['services', 'set-url', 'main', '--promote'], { input: url('second') })
  assert.equal(changed.code, 0, changed.stderr)
  assert.match(changed.stderr, /1 of 1 apps are promoted\n$/)
  const hasSaid = async () => (await rack.run('logs', ...app)).includes('goes to 127.0.0.1 as second')
  await until(hasSaid, { deadlineMs: 20_000, what: 'the new credential in a copy' })
  const hasName = async () => /127\.0\.0\.1\s+db$/m.test(await rack.run('logs', ...app))
  await until(hasName, { deadlineMs: 20_000, what: "the link's name as a host" })
  const refused = await rack.attempt(['services', 'delete', 'main', '--yes'])
  assert.match(refused.stderr, /linked by shop \(as db\)/)

  // What is live is planned with what it had, by a daemon that has only the store.
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await rack.run('start')
  assert.match(await rack.run('env', ...app, '--process', 'web'), /^DB_USERNAME +service link +second$/m)

  await rack.run('links', 'delete', 'db', ...app, '--promote')
  assert.deepEqual(await types(rack), ['db', 'web'])
  assert.match(await sql(rack, 'select text from notes'), /kept/)
  await rack.run('releases', 'rollback', ...app)
  assert.deepEqual(await types(rack), ['web'])

  const words =
    JSON.stringify(await rack.json('audit')) + (await rack.run('releases', ...app)) + created.stderr
  assert.doesNotMatch(words, /sesame4711/)
  assert.deepEqual(await filesWith(rack.directory, 'sesame4711'), [])
})

async function types(rack: InstalledRack): Promise<string[]> {
  const found = await rack.json<{ type: string; status: string }[]>('ps', ...app)
  return found
    .filter(({ status }) => status !== 'draining')
    .map(({ type }) => type)
    .sort()
}

/** Runs a statement in the copy of the stand-in that serves. */
async function sql(rack: InstalledRack, statement: string): Promise<string> {
  const found = await rack.json<{ id: string; type: string }[]>('ps', ...app)
  const { id } = found.find(({ type }) => type === 'db') ?? assert.fail('no db')
  return await rack.run('exec', ...app, id, 'psql', '-U', 'postgres', '-c', statement)
}

/** Files of the rack's directory in which a text stands as it is. */
async function filesWith(directory: string, text: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  const found = await Promise.all(paths.map(async (path) => (await readFile(path)).includes(text)))
  return paths.filter((_path, at) => found[at])
}

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'

const run = promisify(execFile)
const password = 'a #p@ss/word'
const encoded = encodeURIComponent(password)

test('what somebody else runs is backed up by its URL, and makes a service that runs here', async () => {
  await using rack = await installRack()
  const host = addressHere()
  const [port, cachePort] = [await freePort(), await freePort()]
  await using database = await serve(
    'postgres:15',
    ['-e', `POSTGRES_PASSWORD=${password}`],
    ['-c', `port=${port}`],
  )
  // Such a server writes its data to its disk before it sends it.
  const options = ['--port', String(cachePort), '--requirepass', password, '--repl-diskless-sync', 'no']
  await using cache = await serve('redis:7', [], ['redis-server', ...options])
  await untilDone('the database', () => psql(database.id, port, host, 'select 1'))
  await psql(database.id, port, host, 'create role app nologin; grant app to postgres')
  await psql(database.id, port, host, 'create database shop owner app')
  await psql(
    database.id,
    port,
    host,
    'create table notes as select generate_series(1, 1000) as id; alter table notes owner to app',
    'shop',
  )
  const client = [
    'exec',
    '-e',
    `REDISCLI_AUTH=${password}`,
    cache.id,
    'redis-cli',
    '-e',
    '-p',
    String(cachePort),
  ]
  await untilDone('the cache', () => run('docker', [...client, 'set', 'kept', 'yes']))

  await add(rack, 'far', `postgres://postgres:${encoded}@${host}:${port}/shop`)
  await add(rack, 'remote', `redis://:${encoded}@${host}:${cachePort}`)
  const kept = (await rack.run('services', 'backup', 'far')).trim()
  assert.match(await rack.run('services', 'backups', 'far'), new RegExp(`^${kept} +far +postgres 15 `, 'm'))
  const keys = (await rack.run('services', 'backup', 'remote')).trim()
  await rack.run('services', 'restore', kept, '--into', 'near')
  const input = '\\pset format unaligned\n\\pset tuples_only\nselect count(*), sum(id) from notes;\n'
  const rows = await rack.attempt(['services', 'console', 'near', '--database', 'shop'], { input })
  assert.match(rows.stdout, /^1000\|500500$/m)
  await rack.run('services', 'restore', keys, '--into', 'cache')
  assert.match(
    (await rack.attempt(['services', 'console', 'cache'], { input: 'get kept\n' })).stdout,
    /^yes$/m,
  )

  await add(rack, 'shut', `postgres://postgres:wrong-${encoded}@${host}:${port}/shop`)
  const shut = await rack.attempt(['services', 'backup', 'shut'])
  assert.match(shut.stderr, /password authentication failed/)
  assert.ok(!shut.stderr.includes(password))
  const left = await run('docker', ['ps', '--all', '--quiet', '--filter', `name=${rack.name}-_far`])
  assert.equal(left.stdout, '')
})

/** Of this machine, as its containers see it. */
function addressHere(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)!.address
}

async function add(rack: InstalledRack, name: string, url: string): Promise<void> {
  const added = await rack.attempt(['services', 'create', 'url', '--name', name], { input: url })
  assert.equal(added.code, 0, added.stderr)
}

/** A server that comes up refuses at first. */
async function untilDone(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const isDone = () =>
    attempt()
      .then(() => true)
      .catch(() => false)
  await until(isDone, { deadlineMs: 120_000, intervalMs: 300, what })
}

/** A server on this machine that no rack knows, gone in the end. */
async function serve(image: string, options: string[], command: string[]) {
  const name = `hosted-${randomBytes(4).toString('hex')}`
  await run('docker', ['run', '--detach', '--name', name, '--network', 'host', ...options, image, ...command])
  const gone = async () => void (await run('docker', ['rm', '--force', '--volumes', name]))
  return { id: name, [Symbol.asyncDispose]: gone }
}

/** By the network, which the image opens when it has set itself up. */
async function psql(
  id: string,
  port: number,
  host: string,
  statements: string,
  database = 'postgres',
): Promise<string> {
  const words = ['-h', host, '-p', String(port), '-U', 'postgres', '-d', database, '-v', 'ON_ERROR_STOP=1']
  const exec = ['exec', '-e', `PGPASSWORD=${password}`, id, 'psql', ...words, '-c', statements]
  return (await run('docker', exec)).stdout
}

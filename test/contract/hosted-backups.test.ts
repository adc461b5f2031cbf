import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fails, startDataRack } from '../support/data-rack.ts'

const secret = 'p@ss w/rd'
const url = `postgres://app:${encodeURIComponent(secret)}@db.example.com/shop?sslmode=require&password=other`

/** A rack with a service that somebody else runs, whose programs say what a test says. */
async function startHosted(given = url) {
  const rack = await startDataRack()
  await rack.operations().createService({ name: 'far', type: 'url', url: given }, rack.control)
  const running = async () =>
    await rack.engine.processes({ owner: { kind: 'service', name: 'far' }, all: true }, rack.control)
  return { rack, running, backup: () => rack.operations().backupService('far', 'asked', rack.control) }
}

test('the server of a URL is dumped by the programs of its type, which get its password by standard input alone', async () => {
  const { rack, running, backup } = await startHosted()
  await using _rack = rack
  const asked: string[] = []
  rack.inside(async (command, input) => {
    asked.push(command)
    assert.equal(input, `${secret}\n`)
    if (command.includes('server_version')) return '14.2 (Debian)'
    return command.includes('pg_roles') ? 'CREATE ROLE app NOLOGIN;' : 'PGDMP'
  })
  const { id, service, type, version, created, parts } = await backup()
  assert.deepEqual([service, type, version], ['far', 'postgres', '15'])
  assert.deepEqual(
    parts.map(({ name, bytes }) => [name, bytes]),
    [
      ['roles.sql', 24],
      ['shop.dump', 5],
    ],
  )
  assert.equal(asked.length, 3)
  for (const command of asked) {
    assert.match(command, /postgresql:\/\/app@db\.example\.com\/shop\?sslmode=require$/)
    assert.ok(!command.includes('p@ss') && !command.includes('other'))
  }
  assert.deepEqual(await running(), [])
  const { backedUp } = await rack.operations().getService('far', rack.control)
  assert.equal(backedUp, created)
  const away = rack.operations().restoreBackup(id, { inPlace: true, force: true }, rack.control)
  await assert.rejects(away, { code: 'conflict', hint: /--into NAME/ })
  await rack.operations().setBackupSchedule('far', { every: '0 3 * * *', keep: null }, rack.control)
})

test('nothing sweeps the image of the programs before they run', async () => {
  const { rack, backup } = await startHosted()
  await using _rack = rack
  rack.inside(async (command) => (command.includes('server_version') ? '15.1' : 'PGDMP'))
  const run = rack.engine.run.bind(rack.engine)
  rack.engine.run = async (...given) => {
    await assert.rejects(
      rack.operations().prune({ buildCache: false, volumes: false }, rack.control),
      fails('busy'),
    )
    return await run(...given)
  }
  await backup()
})

test('programs that are older than the server give way to newer ones, which is told', async () => {
  const { rack, running, backup } = await startHosted()
  await using _rack = rack
  let says = '16.4'
  rack.inside(async (command) => (command.includes('server_version') ? says : 'PGDMP'))
  const told: string[] = []
  const report = (line: { type: string; text?: string }) => void told.push(line.text ?? '')
  const control = { ...rack.control, report }
  const { version } = await rack.operations().backupService('far', 'asked', control)
  assert.equal(version, '16')
  assert.ok(
    told.some((text) => /16\.4, which is not for postgres:15: taking postgres:16/.test(text)),
    told.join(),
  )
  says = '99.1'
  await assert.rejects(backup(), { code: 'unsupported', message: /is 99\.1, and the newest.*postgres:18/ })
  assert.deepEqual(await running(), [])
})

test('a server that lets nobody in says so, without the password; what was begun ends', async () => {
  const { rack, running, backup } = await startHosted()
  await using _rack = rack
  rack.inside(async () => null)
  await assert.rejects(backup(), { code: 'service-failed', message: /it went wrong/ })
  assert.deepEqual(await running(), [])

  // Who leaves, or dies, in the middle of a dump leaves nothing.
  const leaving = new AbortController()
  const dumping = (begun: () => void) =>
    rack.inside(async (command, _input, signal) => {
      if (command.includes('server_version')) return '15.1'
      begun()
      const { promise, reject } = Promise.withResolvers<string>()
      if (signal.aborted) reject(signal.reason as Error)
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      return await promise
    })
  dumping(() => leaving.abort(new Error('the client is gone')))
  const control = { ...rack.control, signal: leaving.signal }
  await assert.rejects(rack.operations().backupService('far', 'asked', control), /is gone/)
  assert.deepEqual(await running(), [])
  const begun = Promise.withResolvers<void>()
  dumping(() => begun.resolve())
  const dead = backup()
  dead.catch(() => undefined)
  await begun.promise
  await assert.rejects(backup(), fails('busy'))
  await rack.restart()
  assert.deepEqual(await running(), [])
  assert.deepEqual(await rack.operations().listBackups('far'), [])
})

test('what no programs are known for, or names no database, is refused', async () => {
  const queue = await startHosted('amqp://app:secret@queue.example.com')
  await using _queue = queue.rack
  await assert.rejects(queue.backup(), { code: 'unsupported', message: /has no program for amqp/ })
  const { rack } = queue
  await rack
    .operations()
    .createService({ name: 'my', type: 'url', url: 'mysql://app:s@db.example.com' }, rack.control)
  const my = rack.operations().backupService('my', 'asked', rack.control)
  await assert.rejects(my, { code: 'unsupported', message: /its URL names no database/ })
})

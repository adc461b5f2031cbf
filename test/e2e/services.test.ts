import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'

const run = promisify(execFile)

test('a database runs here: it answers, keeps its data, and comes back by itself', async () => {
  await using rack = await installRack()
  const misspelt = await rack.attempt(['services', 'create', 'postgress', '--name', 'main'])
  assert.match(misspelt.stderr, /"postgress" is no type of service: did you mean "postgres"\?/)
  const created = await rack.attempt(['services', 'create', 'postgres', '--name', 'main'])
  assert.equal(created.code, 0, created.stderr)
  assert.match(created.stderr, /waiting until it takes a login[\s\S]*main is there: postgres:15 \(15\.\d+/)
  assert.match(await rack.run('services'), /^main +postgres +running +postgres:15 \(15\.\d+.*\)/m)
  const taken = await rack.attempt(['services', 'create', 'postgres', '--name', 'main'])
  assert.match(taken.stderr, /there is a service "main" already/)
  await sql(rack, "create table notes as select 'kept' as text")
  assert.match(await rack.run('capacity'), /^main +postgres \(service\) +1 /m)
  assert.match(await rack.run('services', 'logs', 'main'), /ready to accept connections/)

  // Somebody removes its container, and it has it again.
  await run('docker', ['rm', '--force', await containerOf(rack)])
  await untilAnswers(rack)
  assert.match(await sql(rack, 'select text from notes'), /kept/)

  // A daemon dies, and its successor finds the service as it is.
  const before = await containerOf(rack)
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await rack.run('start')
  await rack.run('prune', '--volumes')
  assert.equal(await containerOf(rack), before)

  await rack.run('services', 'restart', 'main')
  assert.notEqual(await containerOf(rack), before)
  const kept = await rack.attempt(['services', 'delete', 'main', '--yes'])
  assert.match(kept.stderr, /main is deleted; its data stays, for when it is created again\n/)
  assert.match(await rack.run('services'), /^main +postgres +kept /m)
  await rack.run('services', 'create', 'postgres', '--name', 'main')
  assert.match(await sql(rack, 'select text from notes'), /kept/)
  await rack.run('services', 'delete', 'main', '--volumes', '--yes')
  assert.equal(await rack.run('services'), '')
  const left = await run('docker', ['volume', 'ls', '--quiet', '--filter', `name=${rack.name}-_main`])
  assert.equal(left.stdout, '')
})

test('what does not come so far is taken back: no image, no room, no answer', async () => {
  await using rack = await installRack()
  const create = async (...args: string[]) =>
    await rack.attempt(['services', 'create', ...args, '--name', 'main'])
  const noImage = await create('image', '--image', 'no-such-image:1', '--port', '1')
  assert.equal(noImage.code, 1)
  const noRoom = await create('postgres', '--memory', '900g')
  assert.match(noRoom.stderr, /the service main does not fit this rack/)
  const noPort = await create('image', '--image', 'busybox:1')
  assert.match(noPort.stderr, /says no port[\s\S]*--port 9000/)
  const silent = await create('image', '--image', 'busybox:1', '--port', '9')
  assert.equal(silent.code, 1, silent.stderr)
  assert.equal(await rack.run('services'), '')
  assert.equal(await containerOf(rack), '')
})

async function containerOf(rack: InstalledRack): Promise<string> {
  const { stdout } = await run('docker', ['ps', '--all', '--quiet', '--filter', `name=${rack.name}-_main-`])
  return stdout.trim()
}

async function sql(rack: InstalledRack, statement: string): Promise<string> {
  const container = await containerOf(rack)
  const { stdout } = await run('docker', ['exec', container, 'psql', '-U', 'postgres', '-c', statement])
  return stdout
}

async function untilAnswers(rack: InstalledRack): Promise<void> {
  const answers = async () => {
    const container = await containerOf(rack)
    return (
      container !== '' &&
      (await run('docker', ['exec', container, 'pg_isready']).then(
        () => true,
        () => false,
      ))
    )
  }
  await until(answers, { deadlineMs: 60_000, intervalMs: 500, what: 'the service to be back' })
}

import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { rack as runRack } from '../support/command-line.ts'
import { objectsOfRack } from '../support/engine-objects.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'
import { strictPolicy } from '../../src/domain/policy.ts'

const room = ['--cpu', '1024', '--memory', '1024M']

interface VolumeRow {
  app: string
  name: string
  created: string
  bytes: number | null
  usedBy: string[]
  leftOver: boolean
}

/** A compose file with one process that only waits, and has what `volumes` says. */
const waiting = (volumes: string, more = '') => `services:
  web:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    volumes: [${volumes}]
${more}`

async function deploy(rack: InstalledRack, compose: string) {
  await using source = await makeSource({ 'docker-compose.yml': compose })
  return await rack.attempt(['deploy', '--app', 'shop', source.path])
}

async function inside(rack: InstalledRack, script: string): Promise<string> {
  return (await rack.run('exec', 'web', '--app', 'shop', '--', 'sh', '-c', script)).trim()
}

async function killDaemon(rack: InstalledRack): Promise<void> {
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  const isDown = async () =>
    (await rack.json<{ daemon: { pid: number | null } }>('status')).daemon.pid === null
  await until(isDown, { deadlineMs: 10_000, what: 'the daemon to be gone' })
  await rack.run('start')
}

test('the data of an app outlives it, is found by its successor, and goes when it is told to', async () => {
  await using rack = await installRack([...room, '--allow-bind', '/srv/shared', '--allow-privileged'])
  assert.deepEqual(await rack.json('policy'), { ...strictPolicy, binds: ['/srv/shared'], privileged: true })
  const compose = waiting('"data:/data"', 'volumes: { data: {} }\n')
  assert.equal((await deploy(rack, compose)).code, 0)
  await inside(rack, 'echo kept > /data/word')
  const [data, ...more] = await rack.json<VolumeRow[]>('volumes')
  assert.deepEqual(more, [])
  assert.deepEqual(
    [data?.app, data?.name, data?.usedBy, data?.leftOver, data?.bytes],
    ['shop', 'data', ['web'], false, null],
  )
  assert.ok(
    ((await rack.json<VolumeRow>('volumes', 'info', 'data', '--app', 'shop', '--size')).bytes ?? 0) > 0,
  )
  const used = await rack.attempt(['volumes', 'delete', 'data', '--app', 'shop', '--yes'])
  assert.equal(used.code, 1)
  assert.match(used.stderr, /"data" of shop is used by web\n→ /)

  await inside(rack, 'chown 999:998 /data && chmod 750 /data && ln -s word /data/link')
  const backup = (await rack.run('volumes', 'backup', 'shop/data', '--stop')).trim()
  assert.match(await rack.run('services', 'backups'), new RegExp(`\n${backup} +shop/data +volume `))
  await inside(rack, 'echo lost > /data/word && rm /data/link && touch /data/more')
  const held = await rack.attempt(['volumes', 'restore', backup, 'shop/data', '--yes'])
  assert.match(held.stderr, /web of shop has data: what it has written since is lost\n→ .*--force/)
  assert.equal(await inside(rack, 'cat /data/word'), 'lost')
  await rack.run('volumes', 'restore', backup, 'shop/data', '--yes', '--force')
  assert.equal(
    await inside(rack, 'cat /data/link; ls /data; stat -c %u:%g:%a /data'),
    'kept\nlink\nword\n999:998:750',
  )
  const ofShop = (name: string) => name.startsWith('volume') && name.includes('-shop-')
  assert.deepEqual((await objectsOfRack(rack.name)).filter(ofShop), [`volume ${rack.name}-shop-data.2`])
  const [restored] = await rack.json<VolumeRow[]>('volumes')

  await rack.run('apps', 'delete', 'shop', '--yes')
  assert.match(await rack.run('volumes'), /\nshop \(deleted\) +data /)
  assert.equal((await deploy(rack, compose)).code, 0)
  assert.equal(await inside(rack, 'cat /data/word'), 'kept')
  assert.equal((await rack.json<VolumeRow[]>('volumes'))[0]?.created, restored?.created)

  await rack.run('apps', 'delete', 'shop', '--yes')
  const unasked = await rack.attempt(['volumes', 'delete', 'data', '--app', 'shop'])
  assert.equal(unasked.code, 2)
  await rack.run('volumes', 'delete', 'data', '--app', 'shop', '--yes')
  assert.deepEqual(await rack.json('volumes'), [])
  assert.deepEqual(
    (await objectsOfRack(rack.name)).filter((name) => name.startsWith('volume')),
    [],
  )
  const again = await rack.attempt(['volumes', 'delete', 'data', '--app', 'shop', '--yes'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /shop has no volume "data"/)
})

test('the policy survives the death of the daemon, and lets nobody reach the engine or the rack', async () => {
  await using rack = await installRack(room)
  const strict = { ...strictPolicy }
  assert.deepEqual(await rack.json('policy'), strict)
  for (const path of [
    '/',
    'srv',
    '/var/run',
    '/run/docker.sock',
    rack.directory,
    join(rack.directory, 'store'),
  ]) {
    const said = await rack.attempt(['policy', 'set', '--allow-bind', path])
    assert.equal(said.code, 1, path)
    assert.match(said.stderr, /cannot be allowed|not an absolute path/)
  }
  assert.deepEqual(await rack.json('policy'), strict)
  await rack.run('policy', 'set', '--allow-bind', '/srv/a/', '--allow-bind', '/srv/b', '--allow-privileged')
  await rack.run('policy', 'set', '--deny-bind', '/srv/a')
  await killDaemon(rack)
  assert.deepEqual(await rack.json('policy'), { ...strictPolicy, binds: ['/srv/b'], privileged: true })
})

test('a directory of the machine is mounted when the policy allows it; taken back, what runs goes on', async () => {
  await using rack = await installRack(room)
  const shared = join(rack.directory, '../shared')
  await mkdir(shared)
  await writeFile(join(shared, 'word'), 'from outside')
  const compose = waiting(`"${shared}:/shared:ro"`)
  const refused = await deploy(rack, compose)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /docker-compose\.yml:6:\d+: error: services\.web\.volumes/)
  assert.ok(refused.stderr.includes('rack policy set --allow-bind '), refused.stderr)

  await rack.run('policy', 'set', '--allow-bind', shared)
  const allowed = await deploy(rack, compose)
  assert.equal(allowed.code, 0, allowed.stderr)
  assert.equal(await inside(rack, 'cat /shared/word'), 'from outside')
  assert.equal(await inside(rack, 'echo x > /shared/word 2> /dev/null || echo read-only'), 'read-only')

  await rack.run('policy', 'set', '--deny-bind', shared)
  await killDaemon(rack)
  const processes = await rack.json<{ id: string; type: string; status: string }[]>('ps', 'shop')
  assert.deepEqual(
    processes.map(({ type, status }) => [type, status]),
    [['web', 'running']],
  )
  await rack.run('restart', '--app', 'shop')
  assert.equal(await inside(rack, 'cat /shared/word'), 'from outside')
  const [live] = await rack.json<{ id: string }[]>('releases', '--app', 'shop')
  const promote = await rack.attempt(['releases', 'promote', live?.id ?? '', '--app', 'shop'])
  assert.equal(promote.code, 1)
  assert.match(promote.stderr, /the rack's policy refuses[^]*rack policy/)
  assert.equal((await deploy(rack, compose)).code, 1)
  assert.equal((await deploy(rack, waiting(''))).code, 0)
})

test('a file is checked against a policy without any rack', async () => {
  await using source = await makeSource({ 'docker-compose.yml': waiting('"/srv/shared/web:/data"') })
  const check = (...args: string[]) =>
    runRack(['manifest', 'check', source.path, ...args], { env: process.env })
  assert.equal((await check()).code, 1)
  assert.equal((await check('--allow-bind', '/srv/other')).code, 1)
  const { code, stdout } = await check('--allow-bind', '/srv/shared')
  assert.equal(code, 0, stdout)
})

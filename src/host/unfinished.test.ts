import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { installationPaths, readInstallation, type Installation } from './installation.ts'
import { makeInstallation } from './make-installation.ts'
import { markFinished, markForRemoval, markUnfinished, removeMarked, removeUnfinished } from './unfinished.ts'

async function makeHome() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'unfinished-'))
  const directory = join(folder.path, 'demo')
  const installation: Installation = {
    name: 'demo',
    directory,
    socket: { path: join(directory, 'api.sock'), group: null },
    http: { bind: '0.0.0.0', port: 80 },
    domain: 'localhost',
    pool: { cidr: '10.213.0.0/16', subnetBits: 24 },
    total: { cpuUnits: 1024, memoryBytes: 2 ** 30 },
    socketPath: '/var/run/docker.sock',
    created: '2026-11-23T10:00:00Z',
  }
  const make = () => makeInstallation(installation, {}, { tokenName: 'restore-1', mark: markUnfinished })
  const begin = async () => {
    await make()
    await writeFile(join(directory, 'rack.key'), 'half')
  }
  /** As if whoever was at it had been killed. */
  const abandon = () => writeFile(installationPaths(directory).unfinished, '{"pid":1,"startTicks":-1}')
  return Object.assign(folder, { installation, directory, make, begin, abandon })
}

test('a rack that is not filled to its end cannot be started or installed over, and says what to type', async () => {
  await using home = await makeHome()
  const { installation, directory, begin } = home
  await begin()
  assert.deepEqual(await readdir(join(directory, 'tokens')), ['restore-1.sha256'])
  const hint = /rack restore FILE --dir .*demo/
  await assert.rejects(readInstallation(directory), { code: 'conflict', hint })
  await assert.rejects(makeInstallation(installation, {}), { code: 'conflict', hint })
  await markFinished(directory)
  assert.deepEqual(await readInstallation(directory), installation)
  await assert.rejects(makeInstallation(installation, {}), { code: 'exists' })
})

test('a second restore removes what a killed one has left, never what one is at, and nothing that is whole', async () => {
  await using home = await makeHome()
  const { installation, directory, begin, abandon, make } = home
  assert.equal(await removeUnfinished(installation), false)
  await begin()
  await assert.rejects(removeUnfinished(installation), {
    code: 'conflict',
    message: new RegExp(`process ${process.pid} restores`),
  })
  await abandon()
  assert.equal(await removeUnfinished(installation), true)
  await make()
  await markFinished(directory)
  assert.equal(await removeUnfinished(installation), false)
  await readInstallation(directory)
})

test('a restore that is undone is no rack from the first step on, and is known for what it is after a kill', async () => {
  await using home = await makeHome()
  const { installation, directory, begin } = home
  await begin()
  await markFinished(directory)
  await markForRemoval(directory)
  await assert.rejects(readInstallation(directory), { code: 'conflict' })
  assert.ok(!(await readdir(directory)).includes('rack.json'))
  assert.equal(await removeUnfinished(installation), true)
  await begin()
  await markForRemoval(directory)
  await removeMarked(installation)
  assert.deepEqual(await readdir(home.path), [])
})

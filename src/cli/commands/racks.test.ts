import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Operations } from '../../operations/operations.ts'
import {
  exampleApp,
  exampleDetails,
  exampleRack,
  serveOperations,
  tokens,
} from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'
import { readRacks } from '../racks-file.ts'

const script: Partial<Operations> = {
  getRack: async () => ({ ...exampleRack, name: 'production', apps: 3, degraded: ['guestbook'] }),
  listApps: async () => [],
  listCertificates: async () => [],
}

async function makeHome() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'racks-'))
  const env = { XDG_CONFIG_HOME: folder.path }
  const type = (args: string[], more: object = {}) => typeCommand(args, { env, ...more })
  return Object.assign(folder, { env, type })
}

test('a login keeps the rack under its own name once the token is proven, and later commands use it', async () => {
  await using home = await makeHome()
  await using server = await serveOperations(script)
  const input = [Buffer.from(`${tokens.write}\n`)]
  const { code, stderr } = await home.type(['login', `${server.url}/`, '--token-stdin'], { input })
  assert.equal(code, 0)
  assert.match(stderr, /production \(Rack 1\.2\.3, 3 apps\) is the current rack/)
  assert.deepEqual(readRacks(home.env), {
    racks: [{ name: 'production', url: server.url, token: tokens.write }],
    current: 'production',
  })
  assert.equal((await home.type(['apps', '--json'])).stdout, '[]\n')
  const { stdout } = await home.type(['status'])
  assert.match(stdout, /^rack +production \(current\)\nstatus +running\n/)
  assert.match(stdout, /^degraded +guestbook \(rack apps says more\)$/m)
  assert.doesNotMatch(stdout, /restoring/)
})

test('a rack that is still being restored says how far it is, and why it does not get on', async () => {
  await using home = await makeHome()
  const left = ['volume shop/data', 'service main']
  const status = async (failed: string | null) => {
    const getRack = async (...given: Parameters<Operations['getRack']>) => ({
      ...(await script.getRack!(...given)),
      status: 'converging' as const,
      restoring: { left, failed },
    })
    return (await home.type(['status'], { rack: { ...script, getRack } })).stdout
  }
  assert.match(await status(null), /^restoring +volume shop\/data is taken in \(2 left\); apps wait for it$/m)
  assert.match(
    await status('volume shop/data: no room'),
    /^restoring +not taken in: volume shop\/data: no room \(it is tried again; rack uninstall ends it\)$/m,
  )
})

test('a wrong token is kept nowhere', async () => {
  await using home = await makeHome()
  await using server = await serveOperations(script)
  await writeFile(join(home.path, 'token'), 'wrong')
  const { code, stderr } = await home.type(['login', server.url, '--token-file', join(home.path, 'token')])
  assert.equal(code, 1)
  assert.match(stderr, /token/)
  assert.deepEqual(readRacks(home.env).racks, [])
})

test('without a token, at a dead address, and at none', async () => {
  await using home = await makeHome()
  assert.equal((await home.type(['login', 'http://127.0.0.1:1'])).code, 2)
  const dead = await home.type(['login', 'http://127.0.0.1:1', '--token-stdin'], {
    input: [Buffer.from('x')],
  })
  assert.equal(dead.code, 1)
  assert.match(dead.stderr, /127\.0\.0\.1:1 does not answer: connection refused/)
  const odd = await home.type(['login', 'ftp://x', '--token-stdin'], { input: [Buffer.from('x')] })
  assert.equal(odd.code, 2)
})

test('racks are listed without their tokens, switched and forgotten', async () => {
  await using home = await makeHome()
  await using server = await serveOperations(script)
  for (const name of ['one', 'two']) {
    await home.type(['login', server.url, '--name', name, '--token-stdin'], {
      input: [Buffer.from(tokens.write)],
    })
  }
  const list = await home.type(['racks', '--json'])
  assert.ok(!list.stdout.includes(tokens.write))
  assert.deepEqual(JSON.parse(list.stdout), [
    { name: 'one', url: server.url, current: false, directory: null },
    { name: 'two', url: server.url, current: true, directory: null },
  ])
  assert.equal((await home.type(['switch', 'one'])).code, 0)
  assert.equal(readRacks(home.env).current, 'one')
  const unknown = await home.type(['switch', 'three'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /Known: one, two/)
  await home.type(['racks', 'forget', 'one'])
  assert.deepEqual(
    readRacks(home.env).racks.map(({ name }) => name),
    ['two'],
  )
  const elsewhere = await home.type(['stop'])
  assert.equal(elsewhere.code, 1)
  assert.match(elsewhere.stderr, /two is not on this machine/)
})

test('what destroys asks, and refuses where nobody can answer', async () => {
  const rack: Partial<Operations> = {
    getApp: async () => ({
      ...exampleApp,
      ...exampleDetails,
      release: null,
    }),
    listLinks: async () => [],
  }
  const { code, stderr } = await typeCommand(['apps', 'delete'], { rack })
  assert.equal(code, 2)
  assert.match(stderr, /Add --yes/)
  const deleted: unknown[] = []
  const deleteApp: Operations['deleteApp'] = async (...given) => void deleted.push(given.slice(0, 2))
  await typeCommand(['apps', 'delete', '--yes', '--volumes'], { rack: { ...rack, deleteApp } })
  await typeCommand(['apps', 'delete', '--yes', '--volumes', '--unlink'], { rack: { ...rack, deleteApp } })
  assert.deepEqual(deleted, [
    ['guestbook', { volumes: true, unlink: false }],
    ['guestbook', { volumes: true, unlink: true }],
  ])
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, mkdtempDisposable, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AwsPlaces } from '../domain/aws-places.ts'
import { readInstallation, type AwsInstallation, type MachineInstallation } from './installation.ts'
import { daemonEnvironment, makeInstallation, removeInstallation } from './make-installation.ts'

async function makeHome() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'installation-'))
  const installation: MachineInstallation = {
    name: 'demo',
    directory: join(folder.path, 'racks/demo'),
    socket: { path: join(folder.path, 'racks/demo/api.sock'), group: null },
    http: { bind: '0.0.0.0', port: 80 },
    domain: 'localhost',
    pool: { cidr: '10.213.0.0/16', subnetBits: 24 },
    total: { cpuUnits: 1024, memoryBytes: 2 ** 30 },
    socketPath: '/var/run/docker.sock',
    created: '2026-11-23T10:00:00Z',
  }
  return Object.assign(folder, { installation })
}

test('a directory that only its owner reads, with the hash of the token and not the token', async () => {
  await using home = await makeHome()
  const { directory } = home.installation
  const token = await makeInstallation(home.installation, {})
  assert.match(token, /^rack_[\w-]{43}$/)
  assert.deepEqual(await readInstallation(directory), home.installation)
  const hash = await readFile(join(directory, 'tokens/install.sha256'), 'utf8')
  assert.equal(hash, `${createHash('sha256').update(token).digest('hex')}\n`)
  for (const [path, mode] of [
    ['', 0o700],
    ['tokens', 0o700],
    ['rack.json', 0o600],
    ['tokens/install.sha256', 0o600],
    ['daemon.env', 0o600],
  ] as const) {
    assert.equal((await stat(join(directory, path))).mode & 0o777, mode, path)
  }
  assert.ok(!(await readFile(join(directory, 'rack.json'), 'utf8')).includes(token))
})

test('directories that are made above it let others pass, and list nothing', async () => {
  await using home = await makeHome()
  const directory = join(home.path, 'lib/rack/main')
  await makeInstallation({ ...home.installation, directory }, {})
  for (const path of ['lib', 'lib/rack'])
    assert.equal((await stat(join(home.path, path))).mode & 0o777, 0o711)
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
})

test('the directory of a socket that lies elsewhere goes with the rack', async () => {
  await using home = await makeHome()
  const folder = join(home.path, 'short')
  await mkdir(folder)
  const installation = { ...home.installation, socket: { path: join(folder, 'api.sock'), group: null } }
  await makeInstallation(installation, {})
  await removeInstallation(installation)
  await assert.rejects(stat(folder), { code: 'ENOENT' })
})

test('a rack of an earlier version, which names no socket, has one', async () => {
  await using home = await makeHome()
  const { directory, socket, ...earlier } = home.installation
  await makeInstallation(home.installation, {})
  await writeFile(join(directory, 'rack.json'), JSON.stringify({ ...earlier, directory }))
  assert.deepEqual((await readInstallation(directory)).socket, socket)
})

test('what is there already is left alone', async () => {
  await using home = await makeHome()
  const { directory } = home.installation
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'letter.txt'), 'mine')
  await assert.rejects(makeInstallation(home.installation, {}), { code: 'conflict', hint: /--dir/ })
  await removeInstallation(home.installation)
  await makeInstallation(home.installation, {})
  await assert.rejects(makeInstallation(home.installation, {}), { code: 'exists', hint: /rack start/ })
})

test('a directory that cannot be made says which option chooses another', async () => {
  await using home = await makeHome()
  await writeFile(join(home.path, 'file'), '')
  const directory = join(home.path, 'file/rack')
  await assert.rejects(makeInstallation({ ...home.installation, directory }, {}), {
    code: 'host-failed',
    hint: /--dir/,
  })
})

test('the database is that of the install, whoever starts the rack', async () => {
  await using home = await makeHome()
  const { directory } = home.installation
  const url = String.raw`postgres://u:p%40"=\'$x@h/d`
  await makeInstallation(home.installation, { RACK_DATABASE_URL: url, HOME: '/root' })
  const started = await daemonEnvironment(directory, { RACK_DATABASE_URL: 'postgres://other', PATH: '/bin' })
  assert.deepEqual(started, { PATH: '/bin', RACK_DATABASE_URL: url })
  await removeInstallation(home.installation)
  await makeInstallation(home.installation, {})
  assert.equal(
    (await daemonEnvironment(directory, { RACK_DATABASE_URL: 'x' }))['RACK_DATABASE_URL'],
    undefined,
  )
})

test('a rack in an account knows where that is and as whom it is called, and no keys', async () => {
  await using home = await makeHome()
  const { http: _http, pool: _pool, socketPath: _socketPath, ...rest } = home.installation
  const { directory } = rest
  const installation: AwsInstallation = { ...rest, engine: 'aws', places: {} as AwsPlaces }
  const [key, secret] = ['AKIAEXAMPLE', 'a-secret-key']
  await makeInstallation(installation, {
    AWS_PROFILE: 'work',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: secret,
  })
  const written = await readFile(join(directory, 'daemon.env'), 'utf8')
  assert.ok(!written.includes(key) && !written.includes(secret), written)
  const started = await daemonEnvironment(directory, { PATH: '/bin' })
  assert.deepEqual(started, {
    PATH: '/bin',
    RACK_DATABASE_URL: undefined,
    AWS_PROFILE: 'work',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  })
  const other = await daemonEnvironment(directory, { AWS_PROFILE: 'other' })
  assert.equal(other['AWS_PROFILE'], 'other')
  const byKeys = await daemonEnvironment(directory, { AWS_ACCESS_KEY_ID: key })
  assert.deepEqual([byKeys['AWS_PROFILE'], byKeys['AWS_ACCESS_KEY_ID']], [undefined, key])
})

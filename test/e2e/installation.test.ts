import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { readProcess } from '../../src/lib/files.ts'
import { rack as runRack } from '../support/command-line.ts'
import { objectsOfRack } from '../support/engine-objects.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

const compose = `services:
  web:
    image: node:24-slim
    command: node -e "require('node:http').createServer((q, r) => r.end(process.env.WORD)).listen(3000)"
    environment: [WORD]
    ports: ["80:3000"]
    volumes: ["data:/data"]
    stop_grace_period: 1s
volumes:
  data: {}
`
interface Status {
  socket: string
  api?: string
}

const room = ['--cpu', '1024', '--memory', '1024M']

async function deployWord(rack: InstalledRack, app: string, word: string): Promise<void> {
  await using source = await makeSource({ 'docker-compose.yml': compose })
  await rack.run('apps', 'create', app)
  await rack.run('env', 'set', `WORD=${word}`, '--app', app)
  await rack.run('deploy', '--app', app, source.path)
}
/** One that has ended may wait for its parent to notice, and is no process any more. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readProcess(pid, 'stat')
  return stat !== null && !stat.includes(') Z ')
}

test('two racks on one machine have apps of the same name that never meet; one goes, the other stays', async () => {
  await using one = await installRack(room)
  await using two = await installRack([...room, '--api-port', String(await freePort())])
  await Promise.all([deployWord(one, 'same', 'one'), deployWord(two, 'same', 'two')])
  await one.run('services', 'create', 'redis', '--name', 'cache')
  const visit = (rack: InstalledRack) => ask({ port: rack.httpPort, host: 'same.localhost' })
  assert.deepEqual([(await visit(one)).body, (await visit(two)).body], ['one', 'two'])

  const inOne = async (script: string) =>
    await one.attempt(['exec', 'web', '--app', 'same', '--', 'node', '-e', script])
  const own =
    "Object.values(require('os').networkInterfaces()).flat().find(({ internal }) => !internal).address"
  const address = (await two.run('exec', 'web', '--app', 'same', '--', 'node', '-p', own)).trim()
  const reach = (host: string, port: number) =>
    `const s = require('net').connect(${port}, '${host}'); s.setTimeout(2000, () => process.exit(3));` +
    `s.on('connect', () => process.exit(0)); s.on('error', () => process.exit(4))`
  assert.equal((await inOne(reach('127.0.0.1', 3000))).code, 0)
  assert.notEqual((await inOne(reach(address, 3000))).code, 0)
  const { api } = await two.json<Status>('status')
  const gateway = address.replace(/\.\d+$/, '.1')
  assert.notEqual((await inOne(reach(gateway, Number(new URL(api!).port)))).code, 0)

  const { daemon, router } = await one.json<{ daemon: { pid: number }; router: { pid: number } }>('status')
  await one.run('uninstall', '--yes', '--volumes')
  assert.deepEqual(await objectsOfRack(one.name), [])
  assert.deepEqual([await isAlive(daemon.pid), await isAlive(router.pid)], [false, false])
  assert.ok(!existsSync(one.directory))
  assert.equal((await visit(two)).body, 'two')
})

test('uninstall keeps the data of apps and services unless told, says so, and works when the daemon is dead', async () => {
  await using rack = await installRack(room)
  await deployWord(rack, 'kept', 'x')
  await rack.run('services', 'create', 'redis', '--name', 'cache')
  const refused = await rack.attempt(['uninstall'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /--yes/)
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  const said = await rack.attempt(['uninstall', '--yes'])
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /volumes stay/)
  const left = await objectsOfRack(rack.name)
  assert.ok(left.length === 2 && left.every((each) => each.startsWith('volume ')), left.join(', '))
  assert.ok(!existsSync(rack.directory))
  for (const volume of left) await removeVolume(volume.slice('volume '.length))
})

test('a second install of a name, into a folder in use or onto a port in use is refused; nothing is made', async () => {
  await using rack = await installRack(room)
  const again = await rack.attempt(['install', '--name', rack.name])
  assert.equal(again.code, 1)
  assert.match(again.stderr, new RegExp(`"${rack.name}" is known here already\\n→ rack start`))

  const home = await mkdtemp(join(tmpdir(), 'rack-other-'))
  const env = { ...rack.env, XDG_CONFIG_HOME: home }
  const other = (...args: string[]) => runRack(['install', '--name', `${rack.name}-b`, ...args], { env })
  const there = await other('--dir', rack.directory)
  assert.equal(there.code, 1)
  assert.match(there.stderr, /there is a rack in .* already\n→ rack start/)
  await writeFile(join(home, 'file'), 'mine')
  const mine = await other('--dir', home)
  assert.equal(mine.code, 1)
  assert.match(mine.stderr, /is not empty/)

  const holder = createServer().listen(0, '0.0.0.0')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  for (const flag of ['--http-port', '--api-port']) {
    const taken = await other('--dir', join(home, 'rack'), flag, String(port))
    assert.equal(taken.code, 1)
    assert.match(taken.stderr, new RegExp(`port ${port} of .* cannot be had[^]*→ Choose another: ${flag}`))
  }
  holder.close()
  assert.ok(!existsSync(join(home, 'rack')))
  assert.equal(await readFile(join(home, 'file'), 'utf8'), 'mine')
  await rm(home, { recursive: true })
})

test("the API is a socket that is its owner's alone, and no port", async () => {
  await using rack = await installRack(room)
  const { socket, api } = await rack.json<Status>('status')
  assert.deepEqual([socket, api], [join(rack.directory, 'api.sock'), undefined])
  assert.match(await rack.run('status'), new RegExp(`^socket +${RegExp.escape(socket)}$`, 'm'))
  const modes = await Promise.all(
    [socket, rack.directory].map(async (path) => (await stat(path)).mode & 0o777),
  )
  assert.deepEqual(modes, [0o600, 0o700])
  assert.match(
    await rack.run('doctor'),
    new RegExp(`daemon +process \\d+ answers on ${RegExp.escape(socket)}`),
  )
  const [known] = await rack.json<{ url: string }[]>('racks')
  assert.equal(known?.url, `unix:${socket}`)
})

test('uninstall and install say so when Docker Engine does not answer, and leave everything', async () => {
  await using rack = await installRack(room)
  const path = join(rack.directory, 'rack.json')
  const text = await readFile(path, 'utf8')
  const installation = JSON.parse(text) as object
  await writeFile(path, JSON.stringify({ ...installation, socketPath: '/nowhere/docker.sock' }))
  const said = await rack.attempt(['uninstall', '--yes', '--volumes'])
  assert.equal(said.code, 1)
  assert.match(said.stderr, /Docker Engine does not answer at \/nowhere\/docker\.sock[^]*→ /)
  assert.ok(existsSync(rack.directory))
  await writeFile(path, text)
  const env = { ...rack.env, XDG_CONFIG_HOME: join(rack.directory, '../none') }
  const fresh = await runRack(['install', '--name', 'nodocker', '--socket', '/nowhere/docker.sock'], { env })
  assert.equal(fresh.code, 1)
  assert.match(fresh.stderr, /Docker Engine does not answer[^]*→ /)
})

async function removeVolume(name: string): Promise<void> {
  const asked = request({ socketPath: dockerSocket(process.env), method: 'DELETE', path: `/volumes/${name}` })
  asked.end()
  await once(asked, 'response')
  asked.destroy()
}

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { createFirewall, type Firewall } from '../../src/host/firewall.ts'
import { examine } from '../../src/host/doctor.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { until } from '../../src/lib/poll.ts'
import { resultOf, startDaemonRack, type DaemonRack } from '../support/daemon-rack.ts'
import { controlFor } from '../support/docker-rack.ts'

const execute = promisify(execFile)
const metadata = '169.254.169.254'
const compose = 'services:\n  web: { image: "busybox:1", command: sleep 3600 }\n'

const stack = new AsyncDisposableStack()
let rack: DaemonRack
let firewall: Firewall

/** A host of its own that answers where a cloud's metadata service does, and its name server. */
async function startMetadataHost(): Promise<AsyncDisposable> {
  const host = `rack-${randomBytes(3).toString('hex')}`
  const [outside, inside] = [`${host}o`, `${host}i`]
  const ip = async (...words: string[]) => await execute('ip', words)
  await using undo = new AsyncDisposableStack()
  await ip('netns', 'add', host)
  undo.defer(async () => void (await ip('netns', 'delete', host)))
  await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', host)
  await ip('address', 'add', '169.254.169.1/24', 'dev', outside)
  await ip('link', 'set', outside, 'up')
  await ip('-n', host, 'address', 'add', `${metadata}/24`, 'dev', inside)
  await ip('-n', host, 'link', 'set', inside, 'up')
  await ip('-n', host, 'route', 'add', 'default', 'via', '169.254.169.1')
  const program = `for (const [port, text] of [[80, 'credentials'], [53, 'names']])
    require('node:net').createServer((socket) => socket.on('error', () => {}).end(text)).listen(port)`
  const server = spawn('ip', ['netns', 'exec', host, process.execPath, '-e', program], { stdio: 'ignore' })
  undo.defer(() => void server.kill('SIGKILL'))
  return undo.move()
}

/** What a process of the app gets from an address; null when it gets nothing. */
async function askFromInside(address: string, port = 80): Promise<string | null> {
  const label = `label=com.rack.name=${rack.installation.name}`
  const { stdout: container } = await execute('docker', ['ps', '--quiet', '--filter', label])
  assert.match(container, /^[0-9a-f]+\n$/)
  const words = ['exec', container.trim(), 'nc', '-w', '3', address, String(port)]
  const { stdout } = await execute('docker', words).catch(() => ({ stdout: '' }))
  return stdout.trim() || null
}

const closedAgain = async () =>
  await until(async () => await firewall.isClosed(controlFor(5000)), {
    deadlineMs: 60_000,
    what: 'the daemon to make its table anew',
  })

before(async () => {
  stack.use(await startMetadataHost())
  rack = stack.use(await startDaemonRack({ socketPath: dockerSocket(process.env) }))
  firewall = createFirewall(rack.installation)
  await rack.client.createApp({ body: { name: 'shop' } })
  stack.defer(async () => void (await resultOf(rack.client.deleteApp({ params: { app: 'shop' } }))))
  await rack.deploy('shop', { 'docker-compose.yml': compose })
})
after(async () => await stack.disposeAsync())

test('an app is kept from the metadata service of the machine, until the policy lets it', async () => {
  await closedAgain()
  assert.equal(await askFromInside(metadata), null)
  assert.equal(await askFromInside(metadata, 53), 'names', 'a name server may be there')
  const change = { allowBinds: [], denyBinds: [], privileged: null }
  await rack.client.changePolicy({ body: { ...change, metadata: true } })
  const answered = async () => (await askFromInside(metadata)) === 'credentials'
  await until(answered, { deadlineMs: 60_000, what: 'an answer' })
  await rack.client.changePolicy({ body: { ...change, metadata: false } })
  await closedAgain()
  assert.equal(await askFromInside(metadata), null)
})

test('a table that somebody deletes, or takes a rule from, is made anew', async () => {
  const table = ['inet', `rack-${rack.installation.name}`]
  await closedAgain()
  for (const words of [
    ['delete', 'table', ...table],
    ['flush', 'chain', ...table, 'forward'],
  ]) {
    await execute('nft', words)
    await closedAgain()
    assert.equal(await askFromInside(metadata), null, words.join(' '))
  }
})

test('it outlives the daemon, and the doctor tells when it is gone', async () => {
  await closedAgain()
  await rack.end('SIGKILL')
  assert.equal(await askFromInside(metadata), null)
  const told = async () =>
    (await examine(rack.installation)).find(({ check }) => check === 'metadata')?.status
  assert.equal(await told(), 'good')
  await firewall.open(controlFor(5000))
  assert.equal(await told(), 'warning')
  await rack.start()
  await closedAgain()
})

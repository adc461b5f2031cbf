import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { startDaemon, type DaemonProgram } from '../../src/host/daemon.ts'
import { installationPaths } from '../../src/host/installation.ts'
import { until } from '../../src/lib/poll.ts'
import { startDaemonRack, type DaemonRack } from '../support/daemon-rack.ts'
import { controlFor } from '../support/docker-rack.ts'
import { ask } from '../support/load.ts'
import { startPrivateDockerd, type PrivateDockerd } from '../support/private-dockerd.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-tmpfs.ts'

const app = 'shop'
const big = 'x'.repeat(60 * 2 ** 20)
let dockerDisk: SmallDisk
let rackDisk: SmallDisk
let dockerd: PrivateDockerd
let rack: DaemonRack

/** A web server that answers with a word, and says the time and 8 kB twice a second. */
function files(word: string, more: Record<string, string> = {}, step = ''): Record<string, string> {
  return {
    'docker-compose.yml': `services:
  web:
    build: .
    ports: ["80:3000"]
    command: ["sh", "-c", "httpd -p 3000 -h /www; while :; do date +%s; head -c 8000 /dev/zero | tr '\\\\0' .; echo; sleep 0.5; done"]
    stop_grace_period: 1s
    labels: { rack.draining.timeout: 5 }
    deploy: { resources: { limits: { cpus: "0.05", memory: 32M } } }
`,
    Dockerfile: `FROM busybox:1\nCOPY index.html /www/\n${step}`,
    'index.html': word,
    ...more,
  }
}

before(async () => {
  dockerDisk = await mountSmallDisk({ mebibytes: 48 })
  rackDisk = await mountSmallDisk({ mebibytes: 40 })
  dockerd = await startPrivateDockerd({ dataRoot: join(dockerDisk.path, 'data') })
  await dockerd.load('busybox:1')
  rack = await startDaemonRack({ socketPath: dockerd.socketPath, parent: rackDisk.path })
  await rack.client.createApp({ body: { name: app } })
  await rack.deploy(app, files('one'))
})
after(async () => {
  await rack?.[Symbol.asyncDispose]()
  await dockerd?.[Symbol.asyncDispose]()
  await rackDisk?.[Symbol.asyncDispose]()
  await dockerDisk?.[Symbol.asyncDispose]()
})

const visit = async () => (await ask({ port: rack.installation.http.port, host: `${app}.localhost` })).body
const releases = async () => (await rack.client.listReleases({ params: { app } })).map(({ id }) => id)

async function failure(work: Promise<unknown>): Promise<RackError> {
  const error: unknown = await work.then(
    () => assert.fail('it went through'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof RackError, String(error))
  return error
}

/** What starts the daemon of these sources, as the installed launcher does. */
async function launcher(): Promise<DaemonProgram> {
  const script = join(dockerDisk.path, 'start.mjs')
  const daemon = new URL('../../src/main/daemon.ts', import.meta.url).href
  await writeFile(script, `process.argv.splice(2, 1)\nawait import(${JSON.stringify(daemon)})\n`)
  return { node: process.execPath, script }
}

/** A build that fails for the disk leaves no release, nothing half made, and what is live. */
async function failsForTheDisk(work: () => Promise<unknown>): Promise<RackError> {
  const [before, body] = [await releases(), await visit()]
  const error = await failure(work())
  assert.equal(error.code, 'disk-full', error.message)
  assert.ok(error.hint)
  assert.deepEqual(await releases(), before)
  assert.equal(await visit(), body)
  const { objects } = installationPaths(rack.installation.directory)
  assert.deepEqual(await readdir(join(objects, 'incoming')), [])
  assert.deepEqual(rack.rows(`select id from operations where status = 'running'`), [])
  assert.deepEqual(rack.rows(`select id from builds where status in ('created', 'running')`), [])
  return error
}

test('an upload that the disk of the rack cannot hold is refused, and smaller ones are taken', async () => {
  await failsForTheDisk(() => rack.build(app, files('two', { big })))
  await rack.deploy(app, files('two'))
  assert.equal(await visit(), 'two')
})

test('with no byte left on the disk of the rack, what runs serves on; with room it goes on', async () => {
  const release = await rack.build(app, files('three'))
  const pid = rack.pid()
  await rackDisk.fill()
  const [built, promoted] = [
    await failure(rack.build(app, files('x'))),
    await failure(rack.promote(app, release)),
  ]
  for (const { code } of [built, promoted]) assert.equal(code, 'disk-full')
  assert.equal(await visit(), 'two')
  assert.equal((await rack.client.listProcesses({ params: { app } })).length, 1)
  // Log lines of these seconds wait with Docker.
  await new Promise((resolve) => setTimeout(resolve, 2000))
  await rackDisk.free()
  await until(
    async () => {
      const lines = await Array.fromAsync(rack.client.appLogs({ params: { app }, query: { tail: 2 } }))
      return lines.some(({ text }) => Number(text) > Date.now() / 1000 - 3)
    },
    { deadlineMs: 60_000, intervalMs: 500, what: 'new lines in the log' },
  )
  await rack.promote(app, release)
  assert.equal(await visit(), 'three')
  assert.equal(rack.pid(), pid)
  assert.equal((await rack.client.getApp({ params: { app } })).status, 'running')
})

test('a daemon that is killed while the disk is full starts when there is room', async () => {
  await rackDisk.fill()
  await rack.end('SIGKILL')
  assert.equal(await visit(), 'three')
  const error = await failure(
    startDaemon(rack.installation, await launcher(), process.env, controlFor(60_000)),
  )
  assert.equal(error.code, 'disk-full')
  assert.match(error.message, /^the daemon does not start: no room is left on the disk of \S+$/)
  await rackDisk.free()
  await rack.start()
  await rack.deploy(app, files('four'))
  assert.equal(await visit(), 'four')
})

test('a build that fills the disk of the engine says so, and the old release serves on', async () => {
  await dockerDisk.take(2 ** 20)
  const half = big.slice(big.length / 2)
  const { message } = await failsForTheDisk(() => rack.build(app, files('x', { half }, 'COPY half /\n')))
  assert.match(message, /Docker Engine/)
  // What its hint says; with no byte left BuildKit itself cannot give anything back.
  await dockerDisk.free()
  await rack.client.prune({ body: { buildCache: true } })
  await rack.deploy(app, files('five'))
  assert.equal(await visit(), 'five')
})

test('with no byte left on the disk of the engine a promote is undone; with room it goes through', async () => {
  const release = await rack.build(app, files('six'))
  await dockerDisk.fill()
  const { code } = await failure(rack.promote(app, release))
  assert.ok(['disk-full', 'deploy-failed'].includes(code), code)
  assert.equal(await visit(), 'five')
  await dockerDisk.free()
  await rack.promote(app, release)
  assert.equal(await visit(), 'six')
  const [running, ...others] = await rack.client.listProcesses({ params: { app } })
  assert.deepEqual([running?.release, others], [release, []])
})

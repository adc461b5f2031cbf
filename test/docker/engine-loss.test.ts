import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { findCopies } from '../../src/engines/docker/containers/found-copy.ts'
import { listNetworks } from '../../src/engines/docker/containers/network.ts'
import { until } from '../../src/lib/poll.ts'
import { killProcess, resultOf, startDaemonRack, type DaemonRack } from '../support/daemon-rack.ts'
import { controlFor } from '../support/docker-rack.ts'
import { ask, startLoad } from '../support/load.ts'
import { overlapTypes } from '../support/overlap-types.ts'
import { startPrivateDockerd, type PrivateDockerd } from '../support/private-dockerd.ts'
import { webFiles } from '../support/source.ts'

const app = 'shop'
const host = 'shop.localhost'
let dockerd: PrivateDockerd
let rack: DaemonRack

const types = ['store', 'web', 'web', 'worker']

/** Answers with a word: at once, or after five seconds at /slow, which keeps an old copy from leaving. */
const server = (word: string) => `const server = require('node:http').createServer((request, response) => {
  setTimeout(() => response.end('${word}'), request.url === '/slow' ? 5000 : 0)
})
server.listen(3000)
process.on('SIGTERM', () => server.close(() => process.exit()))
`
const files = (word: string, labels = '') =>
  webFiles(word, { more: overlapTypes, server: server(word), labels })

before(async () => {
  dockerd = await startPrivateDockerd()
  await dockerd.load('node:24-slim')
  rack = await startDaemonRack({ socketPath: dockerd.socketPath })
  await rack.client.createApp({ body: { name: app } })
  await rack.deploy(app, files('one'))
})
after(async () => {
  await rack?.[Symbol.asyncDispose]()
  await dockerd?.[Symbol.asyncDispose]()
})

/** Does something under load of which not one request may fail; resolves to how many there were. */
async function underLoad(task: () => Promise<void>): Promise<number> {
  const loading = startLoad({ port: rack.installation.http.port, host, connections: 4 })
  try {
    await task()
  } finally {
    const { failures } = await loading.stop()
    assert.deepEqual(failures, {})
  }
  return (await loading.stop()).requests
}

const visit = async (path = '/') => await ask({ port: rack.installation.http.port, host, path })
const copies = async () =>
  await findCopies(dockerd.docker, rack.installation.name, { owner: appOwner(app) }, controlFor(60_000))
const ids = async () => (await copies()).map((copy) => copy.process).sort()

/** Everything about the app agrees: containers, names, addresses, routes, journal; and it answers. */
async function wholeness(): Promise<{ release: string; addresses: string[] }> {
  const found = await copies()
  const live = await rack.client.getApp({ params: { app } })
  assert.equal(live.operation, null)
  assert.equal(live.status, 'running')
  assert.deepEqual(rack.rows(`select id from operations where status = 'running'`), [])
  assert.deepEqual(
    found
      .map(({ type, state, restartPolicy, release }) => [type, state, restartPolicy, release].join(' '))
      .sort(),
    types.map((type) => `${type} running always ${live.release}`),
  )
  assert.ok(found.every(({ type, aliases }) => aliases.includes(type)))
  const holders = rack.rows('select holder, address from addresses where network = ? order by holder', app)
  const held = found.map(({ process: holder, address }) => ({ holder, address })).sort(byHolder)
  assert.deepEqual(
    holders.map((row) => ({ ...row })),
    held,
  )
  const webs = found.filter(({ type }) => type === 'web').map(({ address }) => address ?? '')
  assert.deepEqual(await rack.routedAddresses(app), webs.sort())
  assert.equal((await listNetworks(dockerd.docker, rack.installation.name, controlFor(5000))).length, 1)
  for (let index = 0; index < 4; index++) assert.equal((await visit()).status, 200)
  return { release: live.release ?? '', addresses: held.map(({ address }) => address ?? '') }
}

const byHolder = (a: { holder: string }, b: { holder: string }) => (a.holder < b.holder ? -1 : 1)

/** Until the app is whole; what is wrong at the deadline is what the test says. */
async function becomesWhole(deadlineMs: number): ReturnType<typeof wholeness> {
  let last: unknown = null
  const look = () => wholeness().catch((error: unknown) => void (last = error))
  try {
    return await until(look, { deadlineMs, intervalMs: 200, what: 'the app to be whole' })
  } catch (error) {
    throw last ?? error
  }
}

/** What is said without an engine to those who ask, promote and run. */
async function refusals(release: string): Promise<RackError[]> {
  const params = { app }
  const asked = await Promise.allSettled([
    rack.client.listProcesses({ params }),
    rack.client.getCapacity(),
    rack.promote(app, release),
    rack.client.runProcess({ params, body: { type: 'web', command: ['true'] } }),
  ])
  return asked.map((answer) => {
    assert.ok(answer.status === 'rejected' && answer.reason instanceof RackError)
    return answer.reason
  })
}

async function logLines(): Promise<string[]> {
  const lines = await Array.fromAsync(rack.client.appLogs({ params: { app }, query: { types: ['worker'] } }))
  return lines.map(({ text }) => text)
}

/** The worker says one line at each start: none is lost, none repeated. */
async function saidUp(times: number): Promise<void> {
  const what = `${times} lines of the worker`
  await until(async () => (await logLines()).length >= times, { deadlineMs: 60_000, what })
  assert.deepEqual(
    await logLines(),
    Array.from({ length: times }, () => 'the worker is up'),
  )
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`the engine ends by ${signal} and comes back: so does every app, by itself`, async (t) => {
    const before = await becomesWhole(20_000)
    const said = await until(async () => (await logLines()).length, { deadlineMs: 5000, what: 'the log' })
    // A one-off ends with the engine, and nothing of it stays.
    await rack.client.runProcess({
      params: { app },
      body: { type: 'web', command: ['sh', '-c', 'trap exit TERM; sleep 3600 & wait'] },
    })
    const ending = performance.now()
    await dockerd.end(signal)
    t.diagnostic(`ended after ${Math.round(performance.now() - ending)} ms`)
    for (const { code, hint } of await refusals(before.release)) {
      assert.equal(code, 'engine-unavailable')
      assert.ok(hint)
    }
    assert.equal((await logLines()).length, said)
    // Killed, it leaves the processes alone: they serve on.
    if (signal === 'SIGKILL') assert.deepEqual(await visit(), { status: 200, body: 'one' })
    const began = performance.now()
    await dockerd.start()
    const since = performance.now()
    const after = await becomesWhole(15_000)
    t.diagnostic(
      `engine up after ${Math.round(since - began)} ms, whole ${Math.round(performance.now() - since)} ms later`,
    )
    assert.deepEqual(after, before)
    await saidUp(said + 1)
  })
}

test('the daemon is killed under load: nothing is dropped, nothing restarts', async (t) => {
  const before = await ids()
  const requests = await underLoad(async () => {
    await rack.end('SIGKILL')
    await delay(500)
    await rack.start()
    await becomesWhole(15_000)
  })
  t.diagnostic(`${requests} requests`)
  assert.deepEqual(await ids(), before)
  assert.ok((await copies()).every(({ restarts }) => restarts === 0))
})

test('the daemon is killed at any instant of a deploy: it is finished or undone, nothing dropped or left', async (t) => {
  const { release: first } = await becomesWhole(10_000)
  const other = await rack.build(app, files('two'))
  for (const delayMs of [100, 400, 800, 1200, 1600, 2000, 2600, 3500]) {
    const { release: old } = await becomesWhole(10_000)
    let end = ''
    const requests = await underLoad(async () => {
      const slow = visit('/slow')
      const promoting = rack.promote(app, old === first ? other : first).catch((error: unknown) => error)
      await delay(delayMs)
      await rack.end('SIGKILL')
      if (!(await promoting)) end += 'over before, '
      await rack.start()
      const began = performance.now()
      const { release } = await becomesWhole(30_000)
      end += `${release === old ? 'undone' : 'finished'} in ${Math.round(performance.now() - began)} ms`
      assert.equal((await visit()).body, release === first ? 'one' : 'two')
      assert.deepEqual(await slow, { status: 200, body: old === first ? 'one' : 'two' })
    })
    t.diagnostic(`killed at ${delayMs} ms: ${end}, ${requests} requests`)
  }
})

test('the master of the router is killed: the daemon revives it', async (t) => {
  const pid = await rack.routerPid()
  await killProcess(pid)
  const began = performance.now()
  await until(
    () =>
      visit().then(
        ({ status }) => status === 200,
        () => false,
      ),
    { deadlineMs: 8000, what: 'an answer' },
  )
  t.diagnostic(`revived after ${Math.round(performance.now() - began)} ms`)
  // It serves a moment before it takes commands.
  const another = () =>
    rack.routerPid().then(
      (now) => now !== pid,
      () => false,
    )
  await until(another, { deadlineMs: 5000, what: 'another router' })
  await becomesWhole(5000)
})

test('a worker of the router is killed: the daemon brings it back', async () => {
  const master = await rack.routerPid()
  const children = await readFile(`/proc/${master}/task/${master}/children`, 'utf8')
  for (const pid of children.trim().split(' ')) await killProcess(Number(pid))
  await until(
    () =>
      visit().then(
        ({ status }) => status === 200,
        () => false,
      ),
    { deadlineMs: 8000, what: 'an answer' },
  )
  await becomesWhole(5000)
})

test('daemon, router and engine are killed together, as in a power loss: everything returns', async (t) => {
  const before = await becomesWhole(10_000)
  const pid = await rack.routerPid()
  await rack.end('SIGKILL')
  await killProcess(pid)
  await dockerd.end('SIGKILL')
  await Promise.all([dockerd.start(), rack.start()])
  const began = performance.now()
  const after = await becomesWhole(15_000)
  t.diagnostic(`whole ${Math.round(performance.now() - began)} ms after both were up`)
  assert.deepEqual(after, before)
})

test('the engine is killed at any instant of a deploy: the app is whole again when it is back', async (t) => {
  const { release: first } = await becomesWhole(10_000)
  const other = await rack.build(app, files('three'))
  for (const delayMs of [200, 1000, 2000, 3500]) {
    const { release: old } = await becomesWhole(10_000)
    // The copy that answers is killed with the engine.
    visit('/slow').catch(() => undefined)
    const promoting = rack.promote(app, old === first ? other : first).then(
      () => 'complete',
      (error: unknown) => (error instanceof RackError ? error.code : String(error)),
    )
    await delay(delayMs)
    await dockerd.end('SIGKILL')
    await dockerd.start()
    const began = performance.now()
    const { release } = await becomesWhole(30_000)
    const tookMs = Math.round(performance.now() - began)
    const end = await promoting
    t.diagnostic(`killed at ${delayMs} ms, the promote: ${end}; whole ${tookMs} ms after the engine was back`)
    assert.equal(release !== old, end === 'complete')
    assert.ok(['complete', 'engine-unavailable', 'deploy-failed'].includes(end), end)
  }
})

test('the engine is killed during the first deploy of an app: nothing of it is left', async (t) => {
  const fresh = 'fresh'
  await rack.client.createApp({ body: { name: fresh } })
  const release = await rack.build(fresh, files('new', '      rack.release.command: sleep 1\n'))
  for (const delayMs of [800, 2400]) {
    const promoting = rack.promote(fresh, release).catch((error: unknown) => error)
    await delay(delayMs)
    await dockerd.end('SIGKILL')
    await dockerd.start()
    const error = await promoting
    const of = { owner: appOwner(fresh) }
    const containers = () => findCopies(dockerd.docker, rack.installation.name, of, controlFor(60_000))
    const live = await rack.client.getApp({ params: { app: fresh } })
    t.diagnostic(`killed at ${delayMs} ms: ${String(error)}; live: ${live.release}`)
    assert.equal(live.release, null)
    await until(async () => (await containers()).length === 0, { deadlineMs: 15_000, what: 'an empty app' })
    const held = () => rack.rows('select holder from addresses where network = ?', fresh)
    await until(() => held().length === 0, { deadlineMs: 5000, what: 'free addresses' })
  }
  await rack.promote(fresh, release)
  const { port } = rack.installation.http
  assert.equal((await ask({ port, host: 'fresh.localhost' })).body, 'new')
  await resultOf(rack.client.deleteApp({ params: { app: fresh } }))
})

test('everything is killed in the middle of a deploy: one release is live, and nothing of the other left', async (t) => {
  const { release: first } = await becomesWhole(10_000)
  const other = await rack.build(app, files('four'))
  for (const delayMs of [600, 1800]) {
    const { release: old } = await becomesWhole(10_000)
    const promoting = rack.promote(app, old === first ? other : first).catch(() => undefined)
    await delay(delayMs)
    const router = await rack.routerPid()
    await Promise.all([rack.end('SIGKILL'), dockerd.end('SIGKILL'), killProcess(router)])
    await promoting
    await Promise.all([dockerd.start(), rack.start()])
    const began = performance.now()
    const { release } = await becomesWhole(30_000)
    const end = release === old ? 'undone' : 'finished'
    t.diagnostic(`killed at ${delayMs} ms: ${end} in ${Math.round(performance.now() - began)} ms`)
  }
})

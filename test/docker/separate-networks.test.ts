import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import type { Control } from '../../src/domain/control.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import { listTable } from '../../src/host/nft.ts'
import { until } from '../../src/lib/poll.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import { deployPlan } from '../support/deploy-plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'

const execute = promisify(execFile)
let rack: Awaited<ReturnType<typeof openDockerRack>>
let node = ''

before(async () => {
  rack = await openDockerRack()
  node = await rack.image('node:24-slim')
})
after(async () => await rack.close())

/** Answers HTTP with its type; asks others for whom a path names, `/ADDRESS:PORT`. */
const server = `
  const http = require('node:http')
  const server = http.createServer((asked, answer) => {
    if (asked.url === '/') return answer.end(process.env.TYPE)
    const other = http.get('http:/' + asked.url, { timeout: 5000, agent: false }, (said) => said.pipe(answer))
    other.on('timeout', () => other.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })))
    other.on('error', ({ code }) => { answer.statusCode = 502; answer.end(code) })
  })
  server.listen(3000)
  process.on('SIGTERM', () => server.close(() => process.exit()))`

/** Who is on which network: web and api in front, api and db behind, where there is no way out. */
const memberships: Record<string, string[]> = { web: ['front'], api: ['back', 'front'], db: ['back'] }
const types = Object.keys(memberships)

function typePlan(type: string, isSeparate: boolean, more: Partial<ProcessPlan> = {}): ProcessPlan {
  const own = memberships[type] ?? []
  const peers = types.filter((other) => !isSeparate || memberships[other]?.some((name) => own.includes(name)))
  return processPlan({
    type,
    image: node,
    command: ['node', '-e', server],
    environment: { TYPE: type },
    peers: peers.map((other) => ({ type: other, names: [other] })),
    internalPorts: [3000],
    health: { ...processPlan().health, port: 3000 },
    drainTimeoutMs: 3000,
    ...(isSeparate && {
      isolation: { networks: own.map((name) => ({ name, aliases: [] })), isEnclosed: type === 'db' },
    }),
    ...more,
  })
}

const planFor = (app: string, isSeparate: boolean, release: string, more: Partial<ProcessPlan> = {}) =>
  planOf(
    types.map((type) =>
      typePlan(
        type,
        isSeparate,
        type === 'web' ? { ...servesHttp(3000, [`${app}.localhost`]), ...more } : more,
      ),
    ),
    { owner: appOwner(app), rack: rack.rack, release },
  )

const deploy = async (app: string, isSeparate: boolean, release = 'RAAAAAAAAAA') =>
  await deployPlan(rack.engine, planFor(app, isSeparate, release), controlFor(60_000))

interface Running {
  container: string
  address: string
}

async function copiesOf(app: string, type: string): Promise<Running[]> {
  const filters = { label: [`com.rack.app=${app}`, `com.rack.name=${rack.rack}`, `com.rack.type=${type}`] }
  const found = await rack.docker.json<
    { Id: string; NetworkSettings: { Networks: Record<string, { IPAddress: string }> } }[]
  >({ path: '/containers/json', query: { filters } }, controlFor(5000))
  return found.map(({ Id, NetworkSettings }) => {
    return { container: Id, address: Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '' }
  })
}

async function copyOf(app: string, type: string): Promise<Running> {
  const [copy] = await copiesOf(app, type)
  assert.ok(copy, `no copy of ${type} runs`)
  return copy
}

async function inside(container: string, program: string): Promise<string> {
  const { stdout } = await execute('docker', ['exec', container, 'node', '-e', program])
  return stdout.trim()
}

/** What a process hears at a place, or how it fails. */
async function hears({ container }: Running, host: string, port = 3000): Promise<string> {
  const program = `
    const asked = require('node:http').get({ host: '${host}', port: ${port}, timeout: 2000 }, (said) => {
      said.on('data', (text) => process.stdout.write(text))
    })
    asked.on('timeout', () => { console.log('ETIMEDOUT'); process.exit() })
    asked.on('error', ({ code }) => console.log(code))`
  return await inside(container, program)
}

const linesOfHosts = async ({ container }: Running) =>
  (await inside(container, `console.log(require('node:fs').readFileSync('/etc/hosts', 'utf8'))`))
    .split('\n')
    .flatMap((line) => line.split(/\s+/).slice(1))
    .filter((name) => types.includes(name))

async function addressOfName(copy: Running, name: string): Promise<string> {
  return await inside(
    copy.container,
    `require('node:dns').lookup('${name}', (error, address) => console.log(error?.code ?? address))`,
  )
}

const isRefusal = (said: string) => ['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND'].includes(said)

async function assertApart(app: string): Promise<void> {
  const [web, api, db] = await Promise.all(types.map(async (type) => await copyOf(app, type)))
  assert.ok(web && api && db)
  for (const [caller, name] of [
    [web, 'api'],
    [api, 'web'],
    [api, 'db'],
    [db, 'api'],
  ] as const)
    assert.equal(await hears(caller, name), name, `${name} by its name`)
  const virtual = { db: await addressOfName(api, 'db'), web: await addressOfName(api, 'web') }
  assert.match(virtual.db, /^198\.18\./)
  for (const [caller, name, callee] of [
    [web, 'db', db],
    [db, 'web', web],
  ] as const) {
    assert.equal((await linesOfHosts(caller)).includes(name), false)
    for (const host of [name, callee.address, virtual[name]])
      assert.ok(isRefusal(await hears(caller, host)), `${name} at ${host}`)
  }
}

test('processes that share a network reach each other, by name, and those that share none by nothing', async () => {
  await deploy('apart', true)
  await assertApart('apart')
})

/** A machine beside this one, which processes reach by what leads out, and a program on this one. */
async function openOutside() {
  const name = rack.rack
  const [near, far] = ['198.51.100.1', '198.51.100.2']
  const words = (text: string) => execute('ip', text.split(' '))
  await using undo = new AsyncDisposableStack()
  await words(`netns add ${name}`)
  undo.defer(async () => void (await words(`netns delete ${name}`)))
  await words(`link add ${name} type veth peer name eth0 netns ${name}`)
  await words(`address add ${near}/30 dev ${name}`)
  await words(`link set ${name} up`)
  for (const more of [`address add ${far}/30 dev eth0`, 'link set eth0 up', `route add default via ${near}`])
    await words(`-n ${name} ${more}`)
  const there = execFile('ip', ['netns', 'exec', name, 'node', '-e', server], {
    env: { ...process.env, TYPE: 'outside' },
  })
  undo.defer(() => void there.kill('SIGKILL'))
  const here = createServer((_asked, answer) => answer.end('machine'))
  here.listen(0, '0.0.0.0')
  await once(here, 'listening')
  undo.defer(() => void here.close())
  const kept = undo.move()
  return {
    far,
    port: (here.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}

test('rules for routed packets and rules for bridged ones keep apart by themselves each', async () => {
  await deploy('layers', true)
  const [web, api, db] = [
    await copyOf('layers', 'web'),
    await copyOf('layers', 'api'),
    await copyOf('layers', 'db'),
  ]
  for (const family of ['ip', 'bridge']) {
    assert.equal(await rack.engine.mendNames(controlFor(5000)), false)
    await execute('nft', ['flush', 'chain', family, `rack-${rack.rack}`, 'apart'])
    assert.ok(isRefusal(await hears(web, db.address)), `without the rules of ${family}`)
    assert.equal(await hears(api, db.address), 'db')
    assert.equal(await rack.engine.mendNames(controlFor(5000)), true)
  }
})

test('what has no way out is reached by others, and reaches neither the outside nor the machine', async () => {
  await deploy('closed', true)
  await using outside = await openOutside()
  const [api, db] = [await copyOf('closed', 'api'), await copyOf('closed', 'db')]
  const gateway = db.address.replace(/\d+$/, '1')
  const isUp = async () => (await hears(api, outside.far)) === 'outside'
  await until(isUp, { deadlineMs: 60_000, what: 'the machine beside to be reached' })
  assert.equal(await hears(api, gateway, outside.port), 'machine')
  for (const [host, port] of [
    [outside.far, 3000],
    [gateway, outside.port],
    [gateway, rack.httpPort],
  ] as const)
    assert.ok(isRefusal(await hears(db, host, port)), `${host}:${port}`)
  assert.match(await addressOfName(db, 'example.com'), /^E/)
  assert.equal(await hears(api, 'db'), 'db')
})

test('a one-off reaches whom its type reaches', async () => {
  await deploy('once', true)
  const { address } = await copyOf('once', 'db')
  for (const [type, expected] of [
    ['api', /^db$/],
    ['web', /^E[A-Z]+$/],
  ] as const) {
    const program = `
      const asked = require('node:http').get({ host: '${address}', port: 3000, timeout: 2000 }, (said) => said.pipe(process.stdout))
      asked.on('timeout', () => asked.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })))
      asked.on('error', ({ code }) => console.log(code))`
    const plan = planFor('once', true, 'RAAAAAAAAAA').processes.find((one) => one.type === type)
    assert.ok(plan)
    const terminal = collectTerminal()
    const oneOff = {
      owner: appOwner('once'),
      release: 'RAAAAAAAAAA',
      process: plan,
      command: ['node', '-e', program],
      kind: 'one-off' as const,
      timeoutMs: null,
      operation: 'OAAAAAAAAAA',
    }
    const { exit } = await rack.engine.run(oneOff, terminal.terminal, controlFor(60_000))
    assert.equal(await exit, 0)
    assert.match(terminal.stdout().trim(), expected, type)
  }
})

test('a service that an app is linked to is reached from each of its networks, also where there is no way out', async () => {
  const owner = { kind: 'service' as const, name: 'main' }
  const service = typePlan('main', false, { stopGraceMs: 100 })
  await deployPlan(rack.engine, planOf([service], { owner, rack: rack.rack }), controlFor(60_000))
  try {
    const led = { services: [{ service: 'main', names: ['store'] }] }
    await deployPlan(rack.engine, planFor('linked', true, 'RAAAAAAAAAA', led), controlFor(60_000))
    for (const type of types) assert.equal(await hears(await copyOf('linked', type), 'store'), 'main', type)
    const [web, db] = [await copyOf('linked', 'web'), await copyOf('linked', 'db')]
    assert.ok(isRefusal(await hears(web, db.address)))
  } finally {
    await rack.engine.remove(appOwner('linked'), { volumes: true }, controlFor(60_000))
    await rack.engine.remove(owner, { volumes: true }, controlFor(60_000))
  }
})

test('to separate networks and back under load nothing fails, and what has become apart is so when the old have left', async () => {
  await deploy('moves', false, 'RAAAAAAAAAA')
  const load = startLoad({
    port: rack.httpPort,
    host: 'moves.localhost',
    path: '/api:3000/',
    connections: 4,
    restMs: 5,
  })
  for (const [isSeparate, release] of [
    [true, 'RBBBBBBBBBB'],
    [false, 'RCCCCCCCCCC'],
    [true, 'RDDDDDDDDDD'],
  ] as const) {
    const receipt = await deploy('moves', isSeparate, release)
    assert.equal(receipt.failed ?? 0, 0, JSON.stringify([load.soFar, isSeparate]))
    const areAlone = async () =>
      (await Promise.all(types.map(async (type) => (await copiesOf('moves', type)).length))).every(
        (count) => count === 1,
      )
    await until(areAlone, { deadlineMs: 60_000, what: 'the old copies to leave' })
    const [web, db] = [await copyOf('moves', 'web'), await copyOf('moves', 'db')]
    if (isSeparate) await assertApart('moves')
    else for (const host of ['db', db.address]) assert.equal(await hears(web, host), 'db')
  }
  const { requests, failures, bodies } = await load.stop()
  assert.deepEqual([failures, Object.keys(bodies)], [{}, ['api']])
  assert.ok(requests > 100)
})

test('a release that would part an app and fails leaves it as it was', async () => {
  await deploy('undone', false)
  const broken = planFor('undone', true, 'RBBBBBBBBBB', { command: ['node', '-e', 'process.exit(3)'] })
  await assert.rejects(deployPlan(rack.engine, broken, controlFor(60_000)))
  const [web, db] = [await copyOf('undone', 'web'), await copyOf('undone', 'db')]
  for (const host of ['db', db.address]) assert.equal(await hears(web, host), 'db')
  const rules = async () => await listTable(`ip rack-${rack.rack}`, controlFor(5000))
  const { address } = web
  const areGone = async () => !(await rules()).includes(`${address} : goto reach`)
  await until(areGone, { deadlineMs: 60_000, what: 'the rules of what has failed to go' })
})

test('where the machine takes no rules a deploy says that nobody is kept apart, and goes on', async () => {
  await using machine = await openWithoutRules()
  const said: string[] = []
  const report: Control['report'] = (event) => void (event.type === 'log' && said.push(event.text))
  for (const [isSeparate, told] of [
    [true, 1],
    [false, 0],
  ] as const) {
    said.length = 0
    const plan = { ...planFor('open', isSeparate, 'RAAAAAAAAAA'), rack: machine.rack }
    await deployPlan(machine.engine, plan, { ...controlFor(60_000), report })
    assert.equal(
      said.filter((text) => /separate networks reach each other.*rack doctor/.test(text)).length,
      told,
    )
  }
})

async function openWithoutRules() {
  const machine = await openDockerRack({ hasNames: false })
  return { ...machine, [Symbol.asyncDispose]: async () => await machine.close() }
}

test('a daemon that is started again keeps apart what was apart, and takes the rules away with the app', async () => {
  await deploy('again', true)
  const again = rack.reopen()
  try {
    await again.start(controlFor(60_000))
    await assertApart('again')
    const { address } = await copyOf('again', 'db')
    const rules = async () =>
      (await listTable(`ip rack-${rack.rack}`, controlFor(5000))) +
      (await listTable(`bridge rack-${rack.rack}`, controlFor(5000)))
    assert.ok((await rules()).includes(address))
    await again.remove(appOwner('again'), { volumes: true }, controlFor(60_000))
    assert.equal((await rules()).includes(address), false)
  } finally {
    await again.close()
  }
})

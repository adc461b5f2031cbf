import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import { defaultNameRange, tableText } from '../../src/host/name-table.ts'
import { nft } from '../../src/host/nft.ts'
import { until } from '../../src/lib/poll.ts'
import { deployPlan } from '../support/deploy-plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'

const execute = promisify(execFile)
let rack: Awaited<ReturnType<typeof openDockerRack>>
let node = ''

before(async () => {
  rack = await openDockerRack()
  node = await rack.image('node:24-slim')
})
after(async () => await rack.close())

/** Says its word, once when somebody connects and again for each line; over UDP for each packet. */
const server = `
  const { WORD } = process.env
  require('node:net').createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(WORD + '\\n')
    socket.on('data', () => socket.write(WORD + '\\n'))
  }).listen(3000)
  const udp = require('node:dgram').createSocket('udp4')
  udp.on('message', (_text, { port, address }) => udp.send(WORD, port, address))
  udp.bind(3000)
  process.on('SIGTERM', () => setTimeout(() => process.exit(), 100))`

const peers = [
  { type: 'backend', names: ['backend', 'api'] },
  { type: 'caller', names: ['caller'] },
]

const backend = (word: string, more: Partial<ProcessPlan> = {}) =>
  processPlan({
    type: 'backend',
    aliases: ['backend', 'api'],
    peers,
    image: node,
    command: ['node', '-e', server],
    environment: { WORD: word },
    internalPorts: [3000],
    health: { ...processPlan().health, port: 3000 },
    drainTimeoutMs: 3000,
    ...more,
  })

const caller = () =>
  processPlan({
    type: 'caller',
    peers,
    image: node,
    command: ['node', '-e', 'setInterval(() => 1, 1e6)'],
    stopGraceMs: 100,
  })

const deploy = async (app: string, word: string, more: Partial<ProcessPlan> = {}) => {
  const release = `R${word.toUpperCase().padEnd(10, 'A')}`
  const plan = planOf([backend(word, more), caller()], { owner: appOwner(app), rack: rack.rack, release })
  return await deployPlan(rack.engine, plan, controlFor(60_000))
}

/** The container of a copy of a type. */
async function containerOf(app: string, type: string): Promise<string> {
  const [copy] = await rack.engine.processes({ owner: appOwner(app), type }, controlFor(5000))
  const filters = { label: [`com.rack.process=${copy?.id}`] }
  const found = await rack.docker.json<{ Id: string }[]>(
    { path: '/containers/json', query: { filters } },
    controlFor(5000),
  )
  assert.ok(found[0], `no copy of ${type} runs`)
  return found[0].Id
}

async function inside(app: string, program: string): Promise<string> {
  const { stdout } = await execute('docker', [
    'exec',
    await containerOf(app, 'caller'),
    'node',
    '-e',
    program,
  ])
  return stdout.trim()
}

/** The address that a name has for the app's caller. */
const resolve = async (app: string, name: string) =>
  await inside(
    app,
    `require('node:dns').lookup('${name}', (error, address) => console.log(error?.code ?? address))`,
  )

/** What connections to an address say, or how they fail. */
const ask = async (app: string, address: string, times = 1) =>
  (
    await inside(
      app,
      `const ask = () => new Promise((resolve) => {
        const socket = require('node:net').connect(3000, '${address}')
        socket.on('data', (text) => { socket.destroy(); resolve(String(text).trim()) })
        socket.on('error', ({ code }) => resolve(code))
      })
      void (async () => { for (let left = ${times}; left > 0; left--) console.log(await ask()) })()`,
    )
  ).split('\n')

test(
  'the address of a name leads to the live release, through a deploy and back',
  { timeout: 120_000 },
  async () => {
    await deploy('stays', 'one')
    const address = await resolve('stays', 'backend')
    assert.match(address, /^198\.18\./)
    assert.equal(await resolve('stays', 'api'), address, 'every name of a type is the same address')
    for (const word of ['two', 'one']) {
      await deploy('stays', word, { count: 2 })
      assert.equal(await resolve('stays', 'backend'), address)
      assert.deepEqual(await ask('stays', address, 4), [word, word, word, word])
    }
  },
)

/** A connection of the caller's that is kept open and asks again every moment; it prints what it hears. */
async function keepAsking(app: string, address: string) {
  const program = `
    const socket = require('node:net').connect(3000, '${address}')
    socket.on('data', (text) => process.stdout.write(String(text)))
    socket.on('error', ({ code }) => console.log(code))
    socket.on('close', () => process.exit())
    setInterval(() => socket.write('again'), 50)`
  const child = spawn('docker', ['exec', await containerOf(app, 'caller'), 'node', '-e', program])
  let heard = ''
  child.stdout.on('data', (text) => (heard += String(text)))
  const ended = once(child, 'close')
  return {
    words: () => heard.trim().split('\n'),
    hears: async (count: number) => {
      const enough = heard.split('\n').length + count
      const what = () => `${count} more answers after: ${heard}`
      await until(() => heard.split('\n').length >= enough, { deadlineMs: 60_000, what })
    },
    ended,
  }
}

test(
  'an open connection stays with its copy while that drains, new ones do not',
  { timeout: 120_000 },
  async () => {
    await deploy('keeps', 'old', { drainTimeoutMs: 60_000 })
    const address = await resolve('keeps', 'backend')
    const kept = await keepAsking('keeps', address)
    await kept.hears(2)
    // Told to leave as soon as traffic has moved: its drain is not waited for.
    const release = 'RNEWAAAAAAA'
    const plan = planOf([backend('new'), caller()], { owner: appOwner('keeps'), rack: rack.rack, release })
    const change = { plan, live: null, leaving: [], releaseCommands: noReleaseCommands }
    await rack.engine.deploy(change, controlFor(60_000))
    assert.deepEqual(await ask('keeps', address, 3), ['new', 'new', 'new'])
    await kept.hears(3)
    assert.ok(kept.words().every((word) => word === 'old'))
    await rack.engine.remove(appOwner('keeps'), { volumes: true }, controlFor(60_000))
    await kept.ended
  },
)

test(
  'a packet over UDP leads to a copy, and a flow of one that is gone moves',
  { timeout: 120_000 },
  async () => {
    await deploy('packets', 'one')
    const address = await resolve('packets', 'backend')
    const program = `
    const socket = require('node:dgram').createSocket('udp4')
    socket.on('message', (text) => process.stdout.write(text + '\\n'))
    socket.on('error', () => undefined)
    socket.bind(5555)
    setInterval(() => socket.send('?', 3000, '${address}'), 50)`
    const container = await containerOf('packets', 'caller')
    const child = spawn('docker', ['exec', container, 'node', '-e', program])
    let heard = ''
    child.stdout.on('data', (text) => (heard += String(text)))
    const hears = async (word: string) =>
      await until(() => heard.trim().endsWith(word), {
        deadlineMs: 60_000,
        what: () => `${word} after: ${heard}`,
      })
    await hears('one')
    await deploy('packets', 'two', { drainTimeoutMs: 100 })
    await hears('two')
    await rack.engine.remove(appOwner('packets'), { volumes: true }, controlFor(60_000))
  },
)

test('no other app reaches it, and what has no copy refuses at once', { timeout: 120_000 }, async () => {
  await Promise.all([deploy('mine', 'mine'), deploy('other', 'other')])
  const address = await resolve('mine', 'backend')
  assert.deepEqual(await ask('mine', address), ['mine'])
  assert.deepEqual(await ask('other', address), ['ECONNREFUSED'])
  await deploy('mine', 'mine', { count: 0 })
  assert.deepEqual(await ask('mine', address), ['ECONNREFUSED'])
  await deploy('mine', 'mine')
  assert.deepEqual(await ask('mine', address), ['mine'], 'it is the same address when it has copies again')
})

test('a deploy that fails leaves the name where it led', { timeout: 120_000 }, async () => {
  await deploy('fails', 'good')
  const address = await resolve('fails', 'backend')
  const broken = processPlan({ type: 'broken', image: node, command: ['node', '-e', 'process.exit(1)'] })
  const plan = planOf([backend('bad'), caller(), broken], { owner: appOwner('fails'), rack: rack.rack })
  await assert.rejects(deployPlan(rack.engine, plan, controlFor(60_000)), { code: 'deploy-failed' })
  assert.deepEqual(await ask('fails', address, 3), ['good', 'good', 'good'])
})

test(
  'a copy that dies leaves the name at once, and is met again when it answers',
  { timeout: 120_000 },
  async () => {
    await rack.engine.start(controlFor(60_000))
    await deploy('dies', 'one', { count: 2 })
    const address = await resolve('dies', 'backend')
    const container = await containerOf('dies', 'backend')
    const table = async () => (await execute('nft', ['list', 'table', 'ip', `rack-${rack.rack}`])).stdout
    const { NetworkSettings } = await rack.docker.json<{
      NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
    }>({ path: `/containers/${container}/json` }, controlFor(5000))
    const [own] = Object.values(NetworkSettings.Networks)
    assert.ok((await table()).includes(`${own?.IPAddress}`))
    await execute('docker', ['update', '--restart', 'no', container])
    await execute('docker', ['kill', container])
    const isOut = async () => !(await table()).includes(`${own?.IPAddress}`)
    await until(isOut, { deadlineMs: 60_000, what: 'the dead copy to leave the name' })
    assert.deepEqual(await ask('dies', address, 4), ['one', 'one', 'one', 'one'])
    await execute('docker', ['start', container])
    const isBack = async () => !(await isOut())
    await until(isBack, { deadlineMs: 60_000, what: 'the copy to be met again' })
  },
)

test('rules hold without a daemon, and are made anew by it', { timeout: 120_000 }, async () => {
  await deploy('holds', 'one')
  const address = await resolve('holds', 'backend')
  const second = rack.reopen()
  try {
    await second.start(controlFor(60_000))
    assert.deepEqual(await ask('holds', address), ['one'])
    assert.equal(await second.mendNames(controlFor(5000)), false)
    for (const words of [
      ['delete', 'table', 'ip', `rack-${rack.rack}`],
      ['flush', 'chain', 'ip', `rack-${rack.rack}`, 'names'],
    ]) {
      await execute('nft', words)
      assert.notDeepEqual(await ask('holds', address), ['one'], 'it is closed meanwhile')
      assert.equal(await second.mendNames(controlFor(5000)), true)
      assert.deepEqual(await ask('holds', address), ['one'], words.join(' '))
    }
  } finally {
    await second.close()
  }
})

test(
  'a running container that is older than a name finds it by the DNS of Docker',
  { timeout: 120_000 },
  async () => {
    const owner = appOwner('older')
    const old = { ...caller(), peers: [] }
    const about = { owner, rack: rack.rack }
    await deployPlan(rack.engine, planOf([old], about), controlFor(60_000))
    await deployPlan(rack.engine, planOf([backend('one'), old], about), controlFor(60_000))
    assert.match(await resolve('older', 'backend'), /^10\./)
    assert.deepEqual(await ask('older', 'api'), ['one'])
  },
)

test(
  'what restarts with another meets its successor from the first connection on',
  { timeout: 120_000 },
  async () => {
    const owner = appOwner('tied')
    const program = `
    require('node:net').connect(3000, 'backend').once('data', (text) => {
      console.log('met', String(text).trim())
      require('node:net').createServer().listen(4000)
    })`
    const tied = processPlan({
      type: 'caller',
      peers,
      image: node,
      command: ['node', '-e', program],
      health: { ...processPlan().health, port: 4000 },
      after: [{ type: 'backend', condition: 'started' }],
      restartsWith: ['backend'],
      stopGraceMs: 100,
    })
    for (const [word, release] of [
      ['one', 'RAAAAAAAAAA'],
      ['two', 'RBBBBBBBBBB'],
    ] as const) {
      await deployPlan(
        rack.engine,
        planOf([backend(word), tied], { owner, rack: rack.rack, release }),
        controlFor(60_000),
      )
      const { stdout } = await execute('docker', ['logs', await containerOf('tied', 'caller')])
      assert.equal(stdout.trim(), `met ${word}`)
    }
  },
)

test('who calls one that is stopped first waits for its successor', { timeout: 120_000 }, async () => {
  const slow = `setTimeout(() => { ${server} }, 1500)`
  const alone = { stopFirst: true, holdMs: 30_000, stopGraceMs: 200, command: ['node', '-e', slow] }
  await deploy('waits', 'one', alone)
  const address = await resolve('waits', 'backend')
  const program = `
    const ask = () => {
      const socket = require('node:net').connect(3000, '${address}')
      socket.on('data', (text) => { process.stdout.write(String(text)); socket.destroy(); setTimeout(ask, 20) })
      socket.on('error', ({ code }) => { console.log(code); setTimeout(ask, 20) })
    }
    ask()`
  const child = spawn('docker', ['exec', await containerOf('waits', 'caller'), 'node', '-e', program])
  let heard = ''
  child.stdout.on('data', (text) => (heard += String(text)))
  const hears = async (word: string) =>
    await until(() => heard.trim().endsWith(word), {
      deadlineMs: 60_000,
      what: () => `${word} after: ${heard}`,
    })
  await hears('one')
  await deploy('waits', 'two', alone)
  await hears('two')
  child.kill()
  assert.deepEqual([...new Set(heard.trim().split('\n'))], ['one', 'two'])
})

test(
  'who is connected to one that is stopped first is told, and meets its successor',
  { timeout: 120_000 },
  async () => {
    const alone = { stopFirst: true, holdMs: 30_000, stopGraceMs: 200, drainTimeoutMs: 500 }
    await deploy('told', 'one', alone)
    const program = `
    const dial = () => {
      const socket = require('node:net').connect(3000, 'backend')
      socket.on('data', (text) => process.stdout.write(String(text)))
      socket.on('error', () => undefined)
      socket.on('close', () => setTimeout(dial, 20))
    }
    dial()`
    const child = spawn('docker', ['exec', await containerOf('told', 'caller'), 'node', '-e', program])
    let heard = ''
    child.stdout.on('data', (text) => (heard += String(text)))
    const hears = async (words: string[]) =>
      await until(() => heard.trim() === words.join('\n'), {
        deadlineMs: 60_000,
        what: () => `${words.join()} instead of: ${heard}`,
      })
    await hears(['one'])
    await deploy('told', 'two', alone)
    await hears(['one', 'two'])
    child.kill()
  },
)

test('who starts beside what it calls waits for its first copy', { timeout: 120_000 }, async () => {
  const late = backend('late', { command: ['node', '-e', `setTimeout(() => { ${server} }, 1500)`] })
  const eager = `
    const socket = require('node:net').connect(3000, 'backend')
    socket.on('data', (text) => { console.log(String(text)); setInterval(() => 1, 1e6) })
    socket.on('error', ({ code }) => { console.log(code); process.exit(1) })`
  const once = { ...caller(), command: ['node', '-e', eager], restart: 'no' as const }
  const plan = planOf([late, once], { owner: appOwner('firsts'), rack: rack.rack })
  await deployPlan(rack.engine, plan, controlFor(60_000))
  const heard = async () =>
    (await execute('docker', ['logs', await containerOf('firsts', 'caller')])).stdout.trim()
  await until(async () => (await heard()) !== '', {
    deadlineMs: 60_000,
    what: () => 'an answer of the backend',
  })
  assert.equal(await heard(), 'late')
})

test('a one-off has the names, and a copy finds itself under its own', { timeout: 120_000 }, async () => {
  await deploy('own', 'one')
  const address = await resolve('own', 'backend')
  const program = `require('node:net').connect(3000, 'backend').on('data', (text) => process.exit(String(text).trim() === 'one' ? 7 : 1))`
  const { exit } = await rack.engine.run(
    {
      owner: appOwner('own'),
      release: 'RAAAAAAAAAA',
      process: caller(),
      command: ['node', '-e', program],
      kind: 'one-off',
      operation: 'OAAAAAAAAAA',
      timeoutMs: 20_000,
    },
    null,
    controlFor(60_000),
  )
  assert.equal(await exit, 7)
  const lookup = `require('node:dns').lookup('backend', (_error, found) => console.log(found))`
  const container = await containerOf('own', 'backend')
  const { stdout } = await execute('docker', ['exec', container, 'node', '-e', lookup])
  assert.match(stdout, /^10\./)
  assert.notEqual(stdout.trim(), address)
})

test(
  'where bridges keep replies from the rules they come back all the same',
  { timeout: 120_000 },
  async () => {
    await deploy('masked', 'one')
    const address = await resolve('masked', 'backend')
    const [backendAddress] = (
      await rack.engine.processes({ owner: appOwner('masked'), type: 'backend' }, controlFor(5000))
    ).map((copy) => copy.address)
    const subnet = `${backendAddress?.split('.').slice(0, 3).join('.')}.0/24`
    const place = { table: `ip rack-${rack.rack}`, pool: subnet, range: defaultNameRange }
    const names = [{ address, leads: [{ sources: [subnet], copies: [backendAddress ?? ''] }], isHeld: false }]
    await nft(
      ['--file', '-'],
      controlFor(5000),
      tableText(place, { names, separations: [], answering: [], udpPorts: [] }, false),
    )
    try {
      assert.deepEqual(await ask('masked', address, 2), ['one', 'one'])
    } finally {
      await rack.engine.mendNames(controlFor(5000))
    }
  },
)

test(
  'an app that goes gives its addresses back, and leaves nothing in the table',
  { timeout: 60_000 },
  async () => {
    await deploy('goes', 'one')
    const address = await resolve('goes', 'backend')
    await rack.engine.remove(appOwner('goes'), { volumes: true }, controlFor(60_000))
    const { stdout } = await execute('nft', ['list', 'table', 'ip', `rack-${rack.rack}`])
    assert.ok(!stdout.includes(address))
    const holders = await rack.addresses.holders(':names')
    assert.deepEqual(
      holders.filter(({ holder }) => holder.startsWith('goes/')),
      [],
    )
  },
)

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { appOwner } from '../../src/domain/owner.ts'
import { until } from '../../src/lib/poll.ts'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { createNameTable } from '../../src/host/name-table.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'

const execute = promisify(execFile)
let rack: Awaited<ReturnType<typeof openDockerRack>>
let engine: (typeof rack)['engine']
let node = ''

before(async () => {
  rack = await openDockerRack()
  engine = rack.reopen({ tcpBind: '0.0.0.0' })
  node = await rack.image('node:24-slim')
})
after(async () => {
  await engine.close()
  await rack.close()
})

const live = new Map<string, Plan>()

/** Says its word to each datagram, and goes on for as long as it drains. */
const echo = `
  const udp = require('node:dgram').createSocket('udp4')
  udp.on('message', (text, { port, address }) => udp.send(process.env.WORD + ' ' + text, port, address))
  udp.bind(5353)
  process.on('SIGTERM', () => process.exit())`

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return port
}

const deploy = async (app: string, word: string, external: number, more: { isLocal?: true } = {}) => {
  const port = {
    external,
    container: 5353,
    protocol: 'udp' as const,
    proxy: false as const,
    secure: false,
    ...more,
  }
  const type = processPlan({
    type: 'dns',
    image: node,
    command: ['node', '-e', echo],
    environment: { WORD: word },
    ports: [port],
    drainTimeoutMs: 15_000,
  })
  const release = `R${word.toUpperCase().padEnd(10, 'A')}`
  const plan = planOf([type], { owner: appOwner(app), rack: rack.rack, release })
  // Settles when the new copies have taken over: the old ones drain behind it.
  await engine.deploy(
    { plan, live: live.get(app) ?? null, leaving: [], releaseCommands: noReleaseCommands },
    controlFor(60_000),
  )
  live.set(app, plan)
}

/** A flow: one socket that asks again and again. */
function openFlow(port: number, host: string) {
  const socket = createSocket('udp4')
  let asked = 0
  return {
    /** The answer to one datagram; null where none came. */
    async ask(): Promise<string | null> {
      const text = String(++asked)
      const { promise, resolve } = Promise.withResolvers<string | null>()
      const timer = setTimeout(() => resolve(null), 1000)
      const hear = (answer: Buffer) => {
        const [word = '', number] = String(answer).split(' ')
        if (number === text) resolve(word)
      }
      socket.on('message', hear)
      socket.send(text, port, host)
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        socket.off('message', hear)
      }
    },
    [Symbol.dispose]: () => void socket.close(),
  }
}

/** As from another machine: a container that is on no network of the rack's asks the machine by its address there. */
async function askFromElsewhere(port: number): Promise<string> {
  const program = `
    const socket = require('node:dgram').createSocket('udp4')
    const host = require('node:fs').readFileSync('/proc/net/route', 'utf8').split('\\n')[1].split('\\t')[2].match(/../g).reverse().map((hex) => parseInt(hex, 16)).join('.')
    socket.on('message', (text) => { console.log(String(text)); socket.close() })
    const again = setInterval(() => socket.send('x', ${port}, host), 200)
    setTimeout(() => process.exit(), 5000).unref()
    socket.on('close', () => clearInterval(again))`
  const { stdout } = await execute('docker', ['run', '--rm', 'node:24-slim', 'node', '-e', program])
  return stdout.trim().split(' ')[0] ?? ''
}

/** The rules by which what is led to a rack's copies passes those of Docker. */
async function waysOf(name: string): Promise<string[]> {
  const { stdout } = await execute('iptables', ['-S', 'DOCKER-USER'])
  return stdout.split('\n').filter((line) => line.includes(`"rack ${name}"`))
}

/** Where no name of a rack is. */
const range = { cidr: '198.19.240.0/24', subnetBits: 24 }

test(
  'a flow stays with its copy through a deploy, new ones meet the new, and it is cut after the drain',
  { timeout: 120_000 },
  async () => {
    const port = await freeUdpPort()
    using flow = openFlow(port, '127.0.0.1')
    assert.equal(await flow.ask(), null, 'nobody is there yet')
    await deploy('names', 'one', port)
    assert.equal(await flow.ask(), 'one', 'who has sent before is led at once')
    assert.equal(await askFromElsewhere(port), 'one')
    const deploying = deploy('names', 'two', port)
    let isOver = false
    deploying.finally(() => (isOver = true)).catch(() => undefined)
    const staysTillThen = async () => {
      assert.equal(await flow.ask(), 'one', 'no datagram is lost, nor comes to another copy')
      return isOver
    }
    await until(staysTillThen, { deadlineMs: 60_000, what: 'the deploy' })
    await deploying
    using fresh = openFlow(port, '127.0.0.1')
    assert.equal(await fresh.ask(), 'two')
    assert.equal(await flow.ask(), 'one', 'its copy drains')
    assert.equal(await askFromElsewhere(port), 'two')
    await until(async () => (await flow.ask()) === 'two', {
      deadlineMs: 60_000,
      what: 'the end of the drain',
    })
  },
)

test('a port is one app’s, and open no more when the app has gone', { timeout: 60_000 }, async () => {
  const port = await freeUdpPort()
  await deploy('first', 'one', port, { isLocal: true })
  await assert.rejects(deploy('second', 'two', port), {
    code: 'port-taken',
    message: `udp port ${port} is held by the app first (dns)`,
  })
  // Whoever opens it for this machine alone is met there alone.
  using flow = openFlow(port, '127.0.0.1')
  assert.equal(await flow.ask(), 'one')
  assert.equal(await askFromElsewhere(port), '')
  for (const app of ['names', 'first']) {
    assert.equal((await waysOf(rack.rack)).length, 2, 'one for each direction')
    await engine.remove(appOwner(app), { volumes: true }, controlFor(60_000))
  }
  assert.deepEqual(await waysOf(rack.rack), [])
  assert.equal(await flow.ask(), null)
})

test('a port that another program has is refused before anything starts', { timeout: 60_000 }, async () => {
  const socket = createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  await assert.rejects(deploy('late', 'one', port), {
    code: 'port-taken',
    message: `udp port ${port} is held by another program on this machine`,
  })
  socket.close()
})

test('the way through Docker’s rules goes with the table', { timeout: 60_000 }, async () => {
  const name = `${rack.rack}-way`
  const table = createNameTable({ name, pool: { cidr: '10.254.0.0/24', subnetBits: 28 }, names: range })
  const port = { bind: '0.0.0.0', listenPort: 53, port: 53, copies: [], isHeld: false }
  const bridge = `udp-${process.pid}`
  const takesOwn = async () =>
    (await readFile(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, 'utf8')).trim()
  await execute('ip', ['link', 'add', bridge, 'type', 'bridge'])
  try {
    await execute('ip', ['address', 'add', '10.254.0.1/28', 'dev', bridge])
    await execute('ip', ['link', 'set', bridge, 'up'])
    await table.open([{ ...port, subnet: '10.254.0.0/28' }], controlFor(60_000))
    assert.deepEqual([(await waysOf(name)).length, await takesOwn()], [2, '1'])
    await table.open([{ ...port, subnet: '10.254.0.16/28' }], controlFor(60_000))
    assert.deepEqual([(await waysOf(name)).length, await takesOwn()], [2, '0'], 'its port is closed')
    await table.open([{ ...port, subnet: '10.254.0.0/28' }], controlFor(60_000))
    await table.remove(controlFor(60_000))
    assert.deepEqual([await waysOf(name), await takesOwn()], [[], '0'])
  } finally {
    await table.remove(controlFor(60_000))
    await execute('ip', ['link', 'delete', bridge])
  }
})

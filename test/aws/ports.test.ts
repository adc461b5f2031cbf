import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import type { Port } from '../../src/domain/port.ts'
import { until } from '../../src/lib/poll.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { controlFor } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'

let rack: Awaited<ReturnType<typeof openAwsRack>>
let node: string

before(async () => {
  rack = await openAwsRack()
  node = await rack.image('node:24-slim')
})
after(async () => {
  const { refused } = rack.account.calls
  const { troubles } = rack.account
  await rack.close()
  assert.deepEqual([refused, troubles], [[], []])
})

/** Says its word to each datagram, and takes connections beside. */
const echo = `
  const udp = require('node:dgram').createSocket('udp4')
  udp.on('message', (text, { port, address }) => udp.send(process.env.WORD + ' ' + text, port, address))
  udp.bind(5353)
  require('node:net').createServer((socket) => socket.end()).listen(9000)
  process.on('SIGTERM', () => process.exit())`

const freePort = () => 20_000 + (randomBytes(2).readUInt16BE() % 10_000)

function dnsPlan(word: string, port: Port): Plan {
  const type = processPlan({
    type: 'dns',
    image: node,
    command: ['node', '-e', echo],
    environment: { WORD: word },
    ports: [port],
    internalPorts: [9000],
    health: { ...processPlan().health, port: 9000 },
    drainTimeoutMs: 500,
  })
  const release = `R${word.toUpperCase().padEnd(10, 'A')}`
  return planOf([type], { rack: rack.rack, owner: appOwner('dns'), release })
}

const deploy = async (plan: Plan, live: Plan | null) =>
  await rack.engine.deploy(
    { plan, live, leaving: [], releaseCommands: noReleaseCommands },
    controlFor(60_000),
  )

/** One address and port that asks again and again. */
async function openFlow(port: number) {
  const socket = createSocket('udp4')
  return {
    async ask(text: string): Promise<string> {
      const answer = once(socket, 'message', { signal: AbortSignal.timeout(5000) })
      socket.send(text, port, '127.0.0.1')
      return String((await answer)[0])
    },
    async [Symbol.asyncDispose]() {
      socket.close()
    },
  }
}

test('a port of udp is answered on, and a release takes it over', async () => {
  const external = freePort()
  const port = { external, container: 5353, protocol: 'udp' as const, proxy: false as const, secure: false }
  const plan = dnsPlan('one', port)
  await deploy(plan, null)
  assert.deepEqual(
    rack.engine.endpoints(plan).map(({ scheme, port: at }) => [scheme, at]),
    [['udp', external]],
  )
  await using flow = await openFlow(external)
  assert.equal(await flow.ask('a'), 'one a')
  const next = dnsPlan('two', port)
  await deploy(next, plan)
  const isTaken = async () => {
    await using other = await openFlow(external)
    return (await other.ask('b')) === 'two b'
  }
  await until(isTaken, { deadlineMs: 10_000, intervalMs: 100, what: 'the new release' })
  // Who goes on talking is led on when the old copies have gone.
  const isLedOn = async () => (await flow.ask('c')) === 'two c'
  await until(isLedOn, { deadlineMs: 20_000, intervalMs: 100, what: 'the flow to be led on' })
  await rack.engine.remove(appOwner('dns'), { volumes: true }, controlFor(60_000))
  assert.throws(() => rack.account.loopbackPort('network', external), /takes anything on port/)
})

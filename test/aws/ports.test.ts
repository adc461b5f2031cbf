import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { ensureStack, removeStack } from '../../src/aws/stacks.ts'
import type { Control } from '../../src/domain/control.ts'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import type { Port } from '../../src/domain/port.ts'
import { plainRouting } from '../../src/domain/routing.ts'
import { until } from '../../src/lib/poll.ts'
import type { AwsEngine } from '../../src/engines/aws/aws-engine.ts'
import { openPortsTemplate } from '../../src/engines/aws/definition/ports-template.ts'
import { awsTags, ownerTag } from '../../src/engines/aws/names.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { controlFor } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'

let rack: Awaited<ReturnType<typeof openAwsRack>>
/** Of a rack that was installed without a network balancer. */
let engine: AwsEngine
let node: string

before(async () => {
  rack = await openAwsRack()
  engine = reopen()
  node = await rack.image('node:24-slim')
})
after(async () => {
  const { refused } = rack.account.calls
  const { troubles } = rack.account
  await rack.close()
  assert.deepEqual([refused, troubles], [[], []])
})

const reopen = () => rack.reopen({ places: { ...rack.account.places, networkBalancer: null } })

/** Says its word to each datagram, and takes connections beside. */
const echo = `
  const udp = require('node:dgram').createSocket('udp4')
  udp.on('message', (text, { port, address }) => udp.send(process.env.WORD + ' ' + text, port, address))
  udp.bind(5353)
  require('node:net').createServer((socket) => socket.on('error', () => {}).end(process.env.WORD)).listen(9000)
  process.on('SIGTERM', () => process.exit())`

const freePort = () => 20_000 + (randomBytes(2).readUInt16BE() % 10_000)

function dnsPlan(word: string, ports: Port[], allow: string[] | null = null): Plan {
  const type = processPlan({
    type: 'dns',
    image: node,
    command: ['node', '-e', echo],
    environment: { WORD: word },
    ports,
    routing: { ...plainRouting, allow },
    internalPorts: [9000],
    health: { ...processPlan().health, port: 9000 },
    drainTimeoutMs: 500,
  })
  const release = `R${word.toUpperCase().padEnd(10, 'A')}`
  return planOf([type], { rack: rack.rack, owner: appOwner('dns'), release })
}

const deploy = async (plan: Plan, live: Plan | null, heard: string[] = []) => {
  const report: Control['report'] = (event) => void heard.push('text' in event ? event.text : '')
  const control = { ...controlFor(60_000), report }
  return await engine.deploy({ plan, live, leaving: [], releaseCommands: noReleaseCommands }, control)
}

async function stacksOf(part: string): Promise<string[]> {
  const { Stacks = [] } = await rack.clients.stacks.describeStacks({})
  const left = Stacks.filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE')
  return left.map(({ StackName = '' }) => StackName).filter((name) => name.includes(part))
}

/** One address and port that asks again and again. */
async function openFlow(port: number) {
  const socket = createSocket('udp4')
  return {
    /** Empty where nothing is answered: a datagram may be lost. */
    async ask(text: string): Promise<string> {
      const { promise, resolve } = Promise.withResolvers<string>()
      const hear = (said: Buffer) => resolve(String(said))
      const lost = AbortSignal.timeout(1000)
      lost.addEventListener('abort', () => resolve(''))
      socket.once('message', hear)
      socket.send(text, port, '127.0.0.1')
      const answer = await promise
      socket.off('message', hear)
      return answer
    },
    async [Symbol.asyncDispose]() {
      socket.close()
    },
  }
}

/** What is said to who connects from an address; empty to who is not let in. */
async function greeting(port: number, localAddress: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, signal: AbortSignal.timeout(5000) })
  try {
    return await text(socket)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return ''
    throw error
  }
}

test('the first port of udp has the balancer made; a release takes it over, and it is open for whom rack.allow names', async () => {
  const external = freePort()
  const manners = { proxy: false as const, secure: false }
  const ports: Port[] = [
    { external, container: 5353, protocol: 'udp', ...manners },
    { external: external + 1, container: 9000, protocol: 'tcp', ...manners },
  ]
  const plan = dnsPlan('one', ports)
  const { balancers } = rack.clients
  const count = async () => (await balancers.describeLoadBalancers({})).LoadBalancers!.length
  const before = await count()
  const [addition] = await engine.additions(plan, controlFor(10_000))
  // The fake's own prices: 3 an hour, and 0.5 an hour for each address.
  assert.match(addition ?? '', /network load balancer 3 an hour, 2 × public IPv4 address 0\.5 an hour/)
  assert.match(addition ?? '', /together 2920\.00 USD in 730 hours \(.+, published 2026-11-01,/)
  // A daemon dies while the account makes it: the next one waits for what was begun.
  const dying = new AbortController()
  const died = reopen().deploy(
    { plan, live: null, leaving: [], releaseCommands: noReleaseCommands },
    { signal: dying.signal, report: () => undefined },
  )
  const isBegun = () => rack.account.calls.records.some(({ action }) => action === 'ExecuteChangeSet')
  await until(isBegun, { deadlineMs: 10_000, intervalMs: 20, what: 'the stack to be begun' })
  dying.abort(new Error('the daemon dies'))
  await assert.rejects(died)
  await deploy(plan, null)
  assert.equal(await count(), before + 1)
  assert.deepEqual(await engine.additions(plan, controlFor(10_000)), [])
  const [told] = engine.endpoints(plan)
  assert.deepEqual([told!.scheme, told!.port], ['udp', external])
  assert.match(told!.host, /amazonaws\.com$/)
  const later = reopen()
  await later.start(controlFor(10_000))
  assert.deepEqual(later.endpoints(plan), engine.endpoints(plan))
  await using flow = await openFlow(external)
  assert.equal(await flow.ask('a'), 'one a')
  const next = dnsPlan('two', ports)
  await deploy(next, plan)
  const isTaken = async () => {
    await using other = await openFlow(external)
    return (await other.ask('b')) === 'two b'
  }
  await until(isTaken, { deadlineMs: 10_000, intervalMs: 100, what: 'the new release' })
  // Who goes on talking is led on when the old copies have gone.
  const isLedOn = async () => (await flow.ask('c')) === 'two c'
  await until(isLedOn, { deadlineMs: 20_000, intervalMs: 100, what: 'the flow to be led on' })
  assert.equal(await greeting(external + 1, '127.0.0.1'), 'two')

  const narrow = dnsPlan('two', ports, ['127.0.0.2', '10.0.0.0/8'])
  const { started } = await deploy(narrow, next)
  assert.deepEqual(started, [], 'no copy is replaced for it')
  assert.equal(await greeting(external + 1, '127.0.0.1'), '')
  assert.equal(await greeting(external + 1, '127.0.0.2'), 'two')
  assert.equal(await flow.ask('d'), '')
  const own = dnsPlan('two', ports.slice(1), ['127.0.0.1'])
  const other = { ...own, owner: appOwner('other') }
  await assert.rejects(deploy(other, null), { code: 'port-taken' })

  // What a daemon that died before its app was led has left.
  const ghost = appOwner('ghost')
  const { places } = rack.account
  const open = [{ protocol: 'tcp' as const, port: external + 2, range: '0.0.0.0/0' }]
  const name = `rack-${rack.rack}-ports-ghost`
  const tags = awsTags({ rack: rack.rack, owner: ownerTag(ghost) })
  const template = openPortsTemplate({ rack: rack.rack, places, owner: ghost, open })
  const options = { stacks: rack.clients.stacks, intervalMs: 20 }
  await ensureStack(options, { name, template, tags }, controlFor(20_000))
  const more = [...ports, { ...ports[1]!, external: external + 2 }]
  await assert.rejects(deploy(dnsPlan('two', more), narrow), /port \d+ is open for .*ghost/)
  const keep = { owners: [appOwner('dns')], images: [], buildCache: false, volumes: false }
  await engine.sweep(keep, controlFor(20_000))
  assert.deepEqual(await stacksOf('-ports-'), [`rack-${rack.rack}-ports-dns`])
  await deploy(dnsPlan('two', []), null)
  assert.deepEqual(await stacksOf('-ports-'), [])

  await engine.remove(appOwner('dns'), { volumes: true }, controlFor(60_000))
  assert.throws(() => rack.account.loopbackPort('network', external), /takes anything on port/)
  assert.deepEqual(await stacksOf('-ports'), [`rack-${rack.rack}-ports`])
  // Somebody takes the balancer away: the next deploy has it made again, and says so.
  await removeStack(options, `rack-${rack.rack}-ports`, controlFor(20_000))
  assert.deepEqual(await engine.obstacles(plan, new Set(), controlFor(10_000)), [])
  assert.equal((await engine.additions(plan, controlFor(10_000))).length, 1)
})

test('a listener that somebody has deleted is there again within a minute, the balancer beside its stack after the next deploy', async () => {
  const external = freePort()
  const plan = dnsPlan('one', [
    { external, container: 9000, protocol: 'tcp', proxy: false as const, secure: false },
  ])
  await deploy(plan, null)
  const { balancers } = rack.clients
  const hostOf = () => engine.endpoints(plan)[0]!.host
  const host = hostOf()
  const { LoadBalancers = [] } = await balancers.describeLoadBalancers({})
  const { LoadBalancerArn } = LoadBalancers.find(({ DNSName }) => DNSName === host)!
  const { Listeners = [] } = await balancers.describeListeners({ LoadBalancerArn })
  const { ListenerArn } = Listeners.find(({ Port }) => Port === external)!
  await balancers.deleteListener({ ListenerArn })
  await engine.bringNames([plan], controlFor(10_000))
  assert.equal(await greeting(external, '127.0.0.1'), 'one')

  const options = { stacks: rack.clients.stacks, intervalMs: 20 }
  await removeStack(options, `rack-${rack.rack}-ports-dns`, controlFor(20_000))
  assert.equal(await greeting(external, '127.0.0.1'), '')
  await rack.account.balancers.deleteByHand(LoadBalancerArn!)
  // It costs: nobody makes one who has not said so.
  await engine.bringNames([plan], controlFor(10_000))
  const [addition] = await engine.additions(plan, controlFor(10_000))
  assert.match(
    addition ?? '',
    /^somebody has deleted the network load balancer .+: another one is made, with/,
  )
  const heard: string[] = []
  const { replaced } = await deploy(plan, plan, heard)
  assert.deepEqual(replaced, [])
  assert.notEqual(hostOf(), host)
  const text = `the network load balancer is at ${hostOf()} from now on: change the records that lead to ${host}`
  assert.ok(heard.includes(text), heard.join('\n'))
  assert.equal(await greeting(external, '127.0.0.1'), 'one')

  // Who leaves then is kept by nothing of it.
  const left = (await balancers.describeLoadBalancers({})).LoadBalancers!
  await rack.account.balancers.deleteByHand(
    left.find(({ DNSName }) => DNSName === hostOf())!.LoadBalancerArn!,
  )
  await engine.remove(appOwner('dns'), { volumes: true }, controlFor(60_000))
  await removeStack(options, `rack-${rack.rack}-ports`, controlFor(20_000))
  assert.deepEqual(await stacksOf('-ports'), [])
})

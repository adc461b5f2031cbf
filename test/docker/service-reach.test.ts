import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { appOwner, type Owner } from '../../src/domain/owner.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import { planService } from '../../src/domain/service-plan.ts'
import { until } from '../../src/lib/poll.ts'
import { deployPlan } from '../support/deploy-plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { startPrivateDockerd } from '../support/private-dockerd.ts'
import { planOf, processPlan } from '../support/plans.ts'
import { serviceRun } from '../support/service-run.ts'

const service: Owner = { kind: 'service', name: 'main' }
/** As the rack plans whatever service. */
const [asServices] = planService({
  rack: 'any',
  service: { name: 'main', type: 'image', version: 'VAAAAAAAAAA' },
  run: serviceRun(),
}).processes as [ProcessPlan]
type Rack = Awaited<ReturnType<typeof openDockerRack>>

/** Plans, deploys and questions on one rack. */
function worldOf(rack: Rack, image: string) {
  const plan = (owner: Owner, process: Partial<ProcessPlan>): Plan =>
    planOf([processPlan({ image, drainTimeoutMs: 500, ...process })], { owner, rack: rack.rack })

  const servicePlan = (word: string) =>
    plan(service, {
      type: 'echo',
      command: ['sh', '-c', `while :; do echo ${word} | nc -l -p 9000; done`],
      internalPorts: [9000],
      stopFirst: true,
      container: asServices.container,
    })

  const appPlan = (name: string, names: string[] | null) =>
    plan(appOwner(name), {
      command: ['sh', '-c', `trap "exit 0" TERM; ${serveHere} & while :; do sleep 0.1; done`],
      // Whoever may change its own routes may try more.
      container: { ...processPlan().container, capAdd: ['NET_ADMIN'] },
      ...(names && { services: [{ service: 'main', names }] }),
    })

  async function deploy(next: Plan, live: Plan | null = null): Promise<void> {
    const { measurement } = await deployPlan(rack.engine, next, controlFor(60_000), { live })
    // What drains behind it is gone when its counts are known.
    if (measurement !== null) await rack.engine.measure(measurement, controlFor(60_000))
  }

  /** What a shell in a copy of an app's or a service's prints, both streams. */
  async function shell(of: string | Owner, script: string): Promise<string> {
    const owner = typeof of === 'string' ? appOwner(of) : of
    const [copy] = await rack.engine.processes({ owner }, controlFor(60_000))
    let text = ''
    const terminal = {
      tty: false,
      rows: 24,
      columns: 80,
      input: (async function* () {})(),
      output: async (_stream: string, chunk: Uint8Array) => void (text += Buffer.from(chunk).toString()),
      onResize: () => undefined,
    }
    await rack.engine.exec(copy!.id, ['sh', '-c', script], terminal, controlFor(60_000))
    return text.trim()
  }

  /** Waits until a copy is answered by a host with a word: between two visitors the server of these tests is away a moment. */
  async function assertAnswer(of: string, host: string, word: string): Promise<void> {
    await until(async () => (await shell(of, ask(host))) === word, {
      deadlineMs: 60_000,
      intervalMs: 200,
      what: `the answer ${word} of ${host} to ${of}`,
    })
  }

  return { servicePlan, appPlan, deploy, shell, assertAnswer }
}

const serveHere = 'while :; do echo here | nc -l -p 9001; done'

const ask = (host: string) => `nc -w 2 ${host} 9000 < /dev/null || echo refused`

test('a service is reached by those who are led to it, by nobody else, and keeps its place', async () => {
  await using stack = new AsyncDisposableStack()
  const rack = await openDockerRack()
  stack.defer(async () => await rack.close())
  const { servicePlan, appPlan, deploy, shell, assertAnswer } = worldOf(rack, await rack.image('busybox:1'))
  await deploy(servicePlan('one'))
  const [before] = await rack.engine.processes({ owner: service }, controlFor(60_000))
  const [shop, blog] = [appPlan('shop', ['db', 'My_DB']), appPlan('blog', null)]
  await deploy(shop)
  await deploy(blog)
  await assertAnswer('shop', 'db', 'one')
  await assertAnswer('shop', 'My_DB', 'one')
  const address = (await shell('shop', "grep 'db$' /etc/hosts | cut -f 1")).trim()
  const own = before?.address ?? assert.fail('no address')
  const others = [address, own, 'db', 'main', 'echo']
  for (const host of others) assert.match(await shell('blog', ask(host)), /^refused$/m, host)
  // From the other app's place, with the service as the way: it hands nothing on.
  const shopCopy = await shell('shop', 'hostname -i')
  assert.match(
    await shell('blog', `ping -c 1 -W 1 ${shopCopy} > /dev/null && echo through || echo refused`),
    /^refused$/m,
  )
  assert.equal(await shell('shop', 'true'), '')
  const [after] = await rack.engine.processes({ owner: service }, controlFor(60_000))
  assert.equal(after?.id, before?.id, 'to be linked restarts nothing')

  // Another container of the service has the same places.
  await deploy(servicePlan('two'), servicePlan('one'))
  await assertAnswer('shop', 'db', 'two')
  await assertAnswer('shop', address, 'two')

  // Another app, which is led to it beside the first.
  await deploy(appPlan('blog', ['main']), blog)
  await assertAnswer('blog', 'main', 'two')
  assert.match(await shell('blog', ask(address)), /^refused$/m, 'the address is of the other network')

  // All that is for the other app goes by the service, which is on both networks: it hands nothing on.
  const way = (await shell('blog', "grep 'main$' /etc/hosts | cut -f 1")).trim()
  const askShop = `nc -w 2 ${shopCopy} 9001 < /dev/null || echo refused`
  await until(async () => (await shell('shop', askShop)) === 'here', {
    deadlineMs: 60_000,
    intervalMs: 200,
    what: 'what shop says to itself',
  })
  const routed = await shell('blog', `ip route add ${shopCopy}/32 via ${way} && ip route && (${askShop})`)
  assert.match(routed, new RegExp(`^${shopCopy} via ${way}`, 'm'))
  assert.match(routed, /^refused$/m)
  assert.doesNotMatch(routed, /^here$/m)
  // What runs in it calls nobody who is linked to it, by the address of the app or by its own.
  assert.match(await shell(service, askShop), /^refused$/m)
  assert.doesNotMatch(await shell(service, askShop), /^here$/m)
  // Nor can what runs in it be made to: it cannot switch that on, and sends no packet of its own making.
  const inService = await shell(
    service,
    `cat /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/ip_forward; arping -c 1 -w 1 ${way}; grep CapBnd /proc/1/status`,
  )
  assert.match(inService, /^0\n/)
  assert.match(inService, /ip_forward: Read-only file system/)
  assert.match(inService, /arping: .*(Operation not permitted|permission)/i)
  const bounds = BigInt(`0x${/CapBnd:\s*(\w+)/.exec(inService)?.[1] ?? 'f'.repeat(16)}`)
  for (const capability of [12n, 13n]) assert.equal((bounds >> capability) & 1n, 0n, 'NET_ADMIN, NET_RAW')

  // Who is led to it no more does not reach it any more; the other does.
  await deploy(appPlan('shop', null), shop)
  assert.match(await shell('shop', ask(address)), /^refused$/m)
  await assertAnswer('blog', 'main', 'two')
  await rack.engine.remove(appOwner('blog'), { volumes: false }, controlFor(60_000))
  await rack.engine.remove(service, { volumes: false }, controlFor(60_000))
  assert.deepEqual(rack.troubles, [])
})

test('processes that a file keeps apart, and from the outside, reach the service that their app is led to', async () => {
  await using stack = new AsyncDisposableStack()
  const rack = await openDockerRack()
  stack.defer(async () => await rack.close())
  const { servicePlan, appPlan, deploy, assertAnswer } = worldOf(rack, await rack.image('busybox:1'))
  await deploy(servicePlan('one'))
  const isolation = { networks: [{ name: 'back', aliases: [] }], isEnclosed: true }
  const whole = appPlan('shop', ['db'])
  await deploy({ ...whole, processes: whole.processes.map((web) => ({ ...web, isolation })) })
  await assertAnswer('shop', 'db', 'one')
  // As a daemon that comes anew: the rules are made of what it finds.
  await rack.engine.start(controlFor(60_000))
  await assertAnswer('shop', 'db', 'one')
})

test(
  'Docker stopped and started: the service is where it was, for who is led to it',
  { timeout: 180_000 },
  async () => {
    await using dockerd = await startPrivateDockerd()
    const image = await dockerd.load('busybox:1')
    await using stack = new AsyncDisposableStack()
    const rack = await openDockerRack({ socketPath: dockerd.socketPath })
    stack.defer(async () => await rack.close())
    const { servicePlan, appPlan, deploy, shell } = worldOf(rack, image)
    await deploy(servicePlan('one'))
    await deploy(appPlan('shop', ['db']))
    const address = await shell('shop', "grep 'db$' /etc/hosts | cut -f 1")
    const says = (word: string) => async () => (await wordFrom(address)) === word
    const wait = { deadlineMs: 60_000, intervalMs: 500, what: `the service at ${address}` }
    await until(says('one'), wait)
    await dockerd.end('SIGTERM')
    await dockerd.start()
    // By itself: nobody has asked the rack for anything.
    await until(says('one'), wait)
    await deploy(servicePlan('two'), servicePlan('one'))
    await until(says('two'), wait)
  },
)

/**
 * What an address says to this machine, empty where nobody answers: between the containers of an engine that stands beside
 * the machine's own, the firewall of that one drops all.
 */
async function wordFrom(host: string): Promise<string> {
  const socket = createConnection({ host, port: 9000, timeout: 2000 })
  try {
    return Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>))
      .toString()
      .trim()
  } catch {
    return ''
  } finally {
    socket.destroy()
  }
}

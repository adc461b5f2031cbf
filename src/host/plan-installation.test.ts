import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { parseCidr } from '../lib/cidr.ts'
import { apiHostOf, type MachineInstallation } from './installation.ts'
import type { MachineFacts } from './machine-facts.ts'
import { installDefaults, planInstallation, type InstallOptions } from './plan-installation.ts'
import { strictPolicy } from '../domain/policy.ts'

const gib = 2 ** 30
const machine: MachineFacts = { cpuUnits: 2048, memoryBytes: 8 * gib, routes: [] }

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function plan(
  options: Partial<InstallOptions> = {},
  facts: Partial<MachineFacts> = {},
  others: MachineInstallation[] = [],
) {
  const base = { name: 'test', directory: '/nowhere', httpBind: '127.0.0.1', httpPort: await freePort() }
  return await planInstallation({ ...base, ...options }, { ...machine, ...facts }, others)
}

test('defaults: the machine less the reserve, a pool of its own, a socket and no port for the API', async () => {
  const planned = await plan()
  assert.deepEqual(planned.total, { cpuUnits: 2048 - 256, memoryBytes: 7.5 * gib })
  assert.deepEqual(planned.pool, { cidr: '10.213.0.0/16', subnetBits: 24 })
  assert.deepEqual([planned.socket, planned.api], [{ path: '/nowhere/api.sock', group: null }, undefined])
  const apiPort = await freePort()
  const apiGroup = { name: 'ops', id: 7 }
  const wanted = await plan({ apiPort, apiGroup })
  assert.deepEqual([wanted.socket.group, wanted.api], [apiGroup, { host: '127.0.0.1', port: apiPort }])
  assert.deepEqual([planned.domain, planned.socketPath], ['localhost', '/var/run/docker.sock'])
})

test('https has a port of its own, where it is asked for or http has a usual one', async () => {
  assert.equal((await plan()).https, undefined)
  const httpsPort = await freePort()
  const usual = installDefaults.httpsPorts
  const [http, https] = [await freePort(), await freePort()]
  usual.set(http, https)
  assert.deepEqual((await plan({ httpPort: http })).https, { port: https })
  assert.equal((await plan({ httpPort: http, httpsPort: null })).https, undefined)
  usual.delete(http)
  assert.deepEqual((await plan({ httpsPort })).https, { port: httpsPort })
  assert.equal(apiHostOf(await plan({ httpsPort })), 'localhost')
  assert.equal(apiHostOf(await plan({ httpsPort, apiByHttps: false })), null, 'only where it is wanted')
  assert.equal(apiHostOf(await plan({ apiByHttps: true })), null, 'nor without https')
  await assert.rejects(plan({ httpPort: httpsPort, httpsPort }), { code: 'invalid' })
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(httpsPort, '127.0.0.1', resolve))
  await assert.rejects(plan({ httpsPort }), {
    code: 'port-taken',
    hint: 'Choose another: --https-port NUMBER',
  })
  await new Promise((resolve) => holder.close(resolve))
})

test('no rack has a name whose unit would be that of the router of another', async () => {
  await assert.rejects(plan({ name: 'main-router' }), { code: 'invalid', hint: 'Leave it off: --name main' })
  assert.equal((await plan({ name: 'router-main' })).name, 'router-main')
})

test('totals and reserves are taken as they are wanted', async () => {
  assert.deepEqual((await plan({ cpuUnits: 512, memoryBytes: gib })).total, {
    cpuUnits: 512,
    memoryBytes: gib,
  })
  const reserved = await plan({ reserveCpuUnits: 0, reserveMemoryBytes: gib })
  assert.deepEqual(reserved.total, { cpuUnits: 2048, memoryBytes: 7 * gib })
  await assert.rejects(plan({ reserveMemoryBytes: 8 * gib }), { code: 'invalid', hint: /--reserve-memory/ })
})

test('a policy is kept in one form, and only when there is one; it may not reach the engine or the rack', async () => {
  assert.ok(!('policy' in (await plan())))
  const { policy } = await plan({
    policy: { ...strictPolicy, binds: ['/srv/b/', '/srv/a', '/srv/b'], privileged: true },
  })
  assert.deepEqual(policy, { ...strictPolicy, binds: ['/srv/a', '/srv/b'], privileged: true })
  for (const path of ['/', 'srv', '/var/run', '/nowhere', '/nowhere/store']) {
    const wanted = plan({ policy: { ...strictPolicy, binds: [path] } })
    await assert.rejects(wanted, { code: 'invalid' }, path)
  }
})

test('a second rack gets the next pool, also of a rack that is stopped', async () => {
  const first = await plan()
  const second = await plan({}, {}, [first])
  assert.equal(second.pool.cidr, '10.214.0.0/16')
})

test('the pool keeps clear of what the machine reaches already', async () => {
  const routes = ['10.213.7.0/24', '10.214.0.0/15'].map((text) => parseCidr(text)!)
  assert.equal((await plan({}, { routes })).pool.cidr, '10.216.0.0/16')
  await assert.rejects(plan({ pool: '10.213.0.0/16' }, { routes }), {
    code: 'conflict',
    message: /10\.213\.7\.0\/24/,
  })
  await assert.rejects(plan({}, { routes: [parseCidr('10.0.0.0/8')!] }), { code: 'conflict', hint: /--pool/ })
  for (const pool of ['nonsense', '10.1.2.0/25', '10.1.2.3/16', '0.0.0.0/0']) {
    await assert.rejects(plan({ pool }), { code: 'invalid' }, pool)
  }
})

test('a port that is taken is refused when it was wanted', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await assert.rejects(plan({ httpPort: port }), { code: 'port-taken', hint: /--http-port/ })
  await assert.rejects(plan({ apiPort: port }), { code: 'port-taken', hint: /--api-port/ })
  await new Promise((resolve) => server.close(resolve))
  await assert.rejects(plan({ httpPort: 70_000 }), { code: 'invalid' })
  await assert.rejects(plan({ httpBind: '192.0.2.77' }), {
    code: 'invalid',
    message: /no address of this machine/,
  })
})

test('names and domains', async () => {
  for (const name of ['ab', '2racks', 'Rack', 'a_b', 'x'.repeat(31)])
    await assert.rejects(plan({ name }), { code: 'invalid' })
  for (const domain of ['', 'a..b', '-a', 'Apps.example', 'a b'])
    await assert.rejects(plan({ domain }), { code: 'invalid' }, domain)
  assert.equal((await plan({ domain: 'apps.example.com' })).domain, 'apps.example.com')
})

test('trusted proxies are addresses and networks of either family', async () => {
  assert.ok(!('trustedProxies' in (await plan()).http))
  const { http } = await plan({ trustedProxies: ['::1', '10.0.0.0/8', '::1'] })
  assert.deepEqual(http.trustedProxies, ['10.0.0.0/8', '::1'])
  for (const proxy of ['proxy.example.com', '10.0.0.0/33', '10.0.0.7 # mine', '']) {
    const wanted = plan({ trustedProxies: [proxy] })
    await assert.rejects(wanted, { code: 'invalid', hint: /--trusted-proxies/ }, proxy)
  }
})

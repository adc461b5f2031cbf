import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strictPolicy } from '../domain/policy.ts'
import { freePort } from '../../test/support/installed-rack.ts'
import type { MachineInstallation } from './installation.ts'
import { planAgain } from './plan-again.ts'

const machine = { cpuUnits: 2048, memoryBytes: 8 * 2 ** 30, routes: [] }
const wanted = { directory: '/nowhere/again', socketPath: '/run/other.sock' }

/** With every field that there is: a new one has to be put somewhere below. */
async function everything(): Promise<Required<Omit<MachineInstallation, 'engine'>>> {
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  return {
    name: 'home',
    directory: '/nowhere/before',
    socket: { path: '/nowhere/before/api.sock', group: { name: 'ops', id: 7 } },
    api: { host: '127.0.0.1', port: api },
    http: { bind: '127.0.0.1', port: http, trustedProxies: ['10.0.0.7'] },
    https: { port: https },
    apiByHttps: false,
    acmeDnsHook: '/usr/local/bin/dns',
    tcp: { bind: '127.0.0.1' },
    domain: 'apps.example.com',
    pool: { cidr: '10.220.0.0/16', subnetBits: 24 },
    names: { cidr: '198.18.16.0/20' },
    total: { cpuUnits: 700, memoryBytes: 2 ** 30 },
    socketPath: '/run/docker.sock',
    limits: { sourceBytes: 7, connections: 9 },
    policy: strictPolicy,
    created: '2026-11-23T10:00:00Z',
  }
}

test('a rack is planned again with all that it had, but for what is of the machine', async () => {
  const before = await everything()
  const planned = await planAgain(before, { ...wanted, apiGroup: { name: 'ops', id: 8 } }, machine, [])
  const { acmeDnsHook: _looked, policy: _ofTheStore, ...kept } = before
  assert.deepEqual(planned, {
    ...kept,
    ...wanted,
    socket: { path: '/nowhere/again/api.sock', group: { name: 'ops', id: 8 } },
    names: planned.names,
    created: planned.created,
  })
})

test('one without https stays without, and one that is older than the choice keeps its tcp ports where they were', async () => {
  const { https: _https, tcp: _tcp, limits: _limits, api: _api, ...before } = await everything()
  const planned = await planAgain(before, wanted, machine, [])
  assert.deepEqual(
    [planned.https, planned.tcp, planned.limits, planned.api],
    [undefined, { bind: '0.0.0.0' }, undefined, undefined],
  )
  const none = await planAgain(await everything(), { ...wanted, httpsPort: null }, machine, [])
  assert.equal(none.https, undefined)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../../../../test/support/plans.ts'
import type { Control } from '../../../domain/control.ts'
import { noReleaseCommands, type Change } from '../../../domain/engine.ts'
import { appOwner } from '../../../domain/owner.ts'
import { RackError } from '../../../domain/error.ts'
import type { DockerRequest } from '../client.ts'
import { labels } from '../labels.ts'
import type { EngineParts } from '../parts.ts'
import { deployPlan } from './deploy.ts'

const control = { signal: new AbortController().signal, report: () => undefined }

test('a deploy that gets no network leaves no measurement running', async () => {
  let running = 0
  const measure = async () => {
    running++
    return { end: async () => void running-- }
  }
  const json = async () => {
    throw new RackError('engine-failed', 'no free range')
  }
  const parts = {
    docker: { json },
    rack: 'rack',
    router: { measure },
    addresses: {},
    pool: { cidr: '10.213.0.0/16', subnetBits: 24 },
    randomBytes: (count: number) => new Uint8Array(count),
    onTrouble: () => undefined,
  } as unknown as EngineParts
  const change = { plan: { owner: appOwner('shop'), volumes: [] } } as unknown as Change
  await assert.rejects(deployPlan(parts, change, control), /no free range/)
  assert.equal(running, 0)
})

test('a deploy that is live is no failure, whoever wants an end to it while its requests are counted', async () => {
  const ending = new AbortController()
  const counts = { requests: 4, failed: 0, longestStallMs: 2 }
  const end = async ({ signal }: Control) => {
    ending.abort()
    signal.throwIfAborted()
    return counts
  }
  const own = { [labels.rack]: 'rack', [labels.app]: 'shop' }
  const network = { Labels: own, IPAM: { Config: [{ Subnet: '10.213.0.0/24' }] } }
  const parts = {
    docker: { json: async ({ path }: DockerRequest) => (path.startsWith('/networks/') ? network : []) },
    rack: 'rack',
    router: { measure: async () => ({ end }), routes: async () => [] },
    outside: { domain: 'localhost', httpPort: 80 },
    reaper: { adopt: () => undefined },
    names: { begin: async () => undefined, isUsed: () => false, led: () => [], see: async () => undefined },
    addresses: { subnet: async () => '10.213.0.0/24' },
    pool: { cidr: '10.213.0.0/16', subnetBits: 24 },
    randomBytes: (count: number) => new Uint8Array(count),
  } as unknown as EngineParts
  const plan = planOf([], { release: 'RAAAAAAAAAA' })
  const change: Change = { plan, live: null, leaving: [], releaseCommands: noReleaseCommands }
  const receipt = await deployPlan(parts, change, { ...control, signal: ending.signal })
  assert.deepEqual([receipt.requests, receipt.measurement], [4, null])
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { processPlan } from '../../../../test/support/plans.ts'
import { RackError } from '../../../domain/error.ts'
import type { DockerRequest } from '../client.ts'
import type { EngineParts } from '../parts.ts'
import { createCopy } from './copies.ts'
import { defaultLimits } from './spec/container-spec.ts'

test('who gives up while Docker makes a container leaves none behind', async () => {
  const leaving = new AbortController()
  const reason = new RackError('cancelled', 'the operation was cancelled')
  const containers = new Set<string>()
  const json = async ({ method, path }: DockerRequest, { signal }: { signal: AbortSignal }) => {
    if (path === '/containers/create') {
      leaving.abort(reason)
      // Docker goes on, whoever hears of it.
      containers.add('c1')
      signal.throwIfAborted()
      return { Id: 'c1' }
    }
    if (method === 'DELETE') containers.delete(path.split('/').at(-1)!)
    return null
  }
  const addresses = { take: async () => '10.213.0.2', free: async () => undefined }
  const parts = {
    docker: { json },
    rack: 'rack',
    limits: defaultLimits,
    addresses,
    names: { addressesOf: async () => new Map(), place: async () => undefined },
    inFlight: new Set(),
    randomBytes,
    lifetime: new AbortController().signal,
  } as unknown as EngineParts
  const plan = processPlan({ type: 'web' })
  const about = {
    owner: { kind: 'app' as const, name: 'shop' },
    release: 'RAAAAAAAAAA',
    operation: 'OAAAAAAAAAA',
    identity: 'i',
    names: [],
  }
  const creating = createCopy(parts, { ...about, kind: 'process', plan }, leaving)
  await assert.rejects(creating, reason)
  assert.deepEqual([...containers], [])
})

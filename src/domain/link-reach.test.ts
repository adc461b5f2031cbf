import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guestbook } from '../../test/support/guestbook.ts'
import { copyIdentity } from './copy-identity.ts'
import type { ProcessType } from './manifest.ts'
import { planRelease } from './plan.ts'

const address = { scheme: 'redis', host: 'store', port: 6379, path: '', username: 'u', password: 'p' }
const link = { service: 'main', alias: 'store', address, runsHere: true }

/** How the worker of the guestbook is planned, whose file says something else. */
function planWorker(says: Partial<ProcessType>, services = [link], alias = 'store') {
  const input = guestbook({ services: services.map((each) => ({ ...each, alias })) })
  const processes = input.manifest.processes.map((type) =>
    type.name === 'worker' ? { ...type, environment: [], links: [], dependsOn: [], ...says } : type,
  )
  const plan = planRelease({ ...input, manifest: { ...input.manifest, processes } })
  return plan.processes.find(({ type }) => type === 'worker')!
}

const declared = (value: string): Partial<ProcessType> => ({
  isDeclaredOnly: true,
  environment: [{ name: 'OTHER', value }],
})

test('a type that speaks of no link keeps its copies, whatever the app is linked to', () => {
  const linked = planWorker(declared('x'))
  assert.equal(linked.services, undefined)
  assert.equal(copyIdentity(linked), copyIdentity(planWorker(declared('x'), [])))
  assert.notEqual(copyIdentity(planWorker({})), copyIdentity(planWorker({}, [])), 'any other is replaced')
})

test('a type that takes only what it names is led to what its file speaks of', () => {
  const led = [{ service: 'main', names: ['store'] }]
  for (const value of ['store', 'store:6379', 'redis://a:b@store:6379/0', 'redis://a,store/0'])
    assert.deepEqual(planWorker(declared(value)).services, led, value)
  for (const value of ['restore', 'redis://store.example.com', 'the store', ''])
    assert.equal(planWorker(declared(value)).services, undefined, value)
  const named = planWorker({ isDeclaredOnly: true, environment: [{ name: 'STORE_URL', value: null }] })
  assert.deepEqual([named.services, named.environment['STORE_PORT']], [led, '6379'])
  const waits = { target: 'redis', condition: 'started' as const, restart: false }
  const standIn: Partial<ProcessType>[] = [
    { dependsOn: [waits] },
    { links: [{ target: 'redis', alias: 'kv' }] },
  ]
  for (const says of standIn) {
    const { services, environment } = planWorker({ isDeclaredOnly: true, ...says }, [link], 'redis')
    assert.equal(services?.[0]?.names[0], 'redis')
    assert.equal(environment['KV_URL'], undefined, 'it names no variable')
  }
})

test('a host outside is known by the names of its link too, where it is not called so already', () => {
  const hosted = { ...link, runsHere: false, address: { ...address, host: 'db.example.com' } }
  const { outside, services } = planWorker({}, [hosted])
  assert.deepEqual([outside, services], [[{ host: 'db.example.com', names: ['store'] }], undefined])
  assert.deepEqual(planWorker({}, [hosted], 'db.example.com').outside, undefined)
  assert.equal(planWorker(declared('x'), [hosted]).outside, undefined)
})

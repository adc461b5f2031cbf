import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createDockerContainers, partsOf } from '../../../../test/support/docker-containers.ts'
import { RackError } from '../../../domain/error.ts'
import { stopCopies } from './retire.ts'

const control = { signal: new AbortController().signal, report: () => undefined }
const retireAtOnce = async () => ({ cutConnections: 0 })
const refused = () => new RackError('engine-failed', 'device or resource busy')

/** Lets everything go on that waits for no timer, then lets a time pass. */
function createClock(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const settle = async () => {
    for (let at = 0; at < 50; at++) await new Promise((resolve) => setImmediate(resolve))
  }
  return async (ms: number) => {
    await settle()
    t.mock.timers.tick(ms)
    await settle()
  }
}

function watch(promise: Promise<void>) {
  const seen = { state: 'pending' }
  promise.then(
    () => void (seen.state = 'settled'),
    (error: unknown) => void (seen.state = String(error)),
  )
  return seen
}

test('a copy that cannot be removed is told once and tried again until it is gone', async (t) => {
  const pass = createClock(t)
  let isBusy = true
  const engine = createDockerContainers((call) => {
    if (isBusy && call === 'DELETE /containers/P1') throw refused()
  })
  const { parts, troubles } = partsOf(engine.docker, retireAtOnce)
  for (const id of ['P1', 'P2']) engine.add(id, 'running', '.draining-1')
  parts.reaper.adopt([await engine.find('P1'), await engine.find('P2')])
  const gone = watch(parts.reaper.gone(['P1', 'P2'], control))
  const tried = watch(parts.reaper.tried(['P1', 'P2'], control))
  await pass(0)
  assert.deepEqual([tried.state, gone.state], ['settled', 'pending'], 'counts do not wait for leftovers')
  await pass(1000)
  await pass(2000)
  assert.equal(engine.calls.filter((call) => call === 'DELETE /containers/P1').length, 3)
  assert.deepEqual([...engine.containers.keys()], ['P1'])
  assert.deepEqual([gone.state, troubles.length], ['pending', 1])
  // Whoever finds it meanwhile finds it leaving already.
  parts.reaper.adopt([await engine.find('P1')])
  isBusy = false
  await pass(4000)
  assert.deepEqual([gone.state, engine.containers.size, parts.leaving.size], ['settled', 0, 0])
  assert.equal(troubles.length, 1)
})

test('one copy that does not stop keeps none of the others', async (t) => {
  const pass = createClock(t)
  const engine = createDockerContainers((call) => {
    if (call === 'POST /containers/P0/stop') throw refused()
  })
  const { parts } = partsOf(engine.docker, retireAtOnce)
  const processes = Array.from({ length: 12 }, (_, at) => `P${at}`)
  for (const id of processes) engine.add(id, 'running', '.draining-1')
  parts.reaper.adopt(await Promise.all(processes.map(async (id) => await engine.find(id))))
  await pass(0)
  assert.deepEqual([...engine.containers.keys()], ['P0'])
  await parts.reaper.gone(processes.slice(1), control)
})

test('copies whose connections the router cannot end yet are not stopped before', async (t) => {
  const pass = createClock(t)
  const engine = createDockerContainers()
  let calls = 0
  const { parts, troubles } = partsOf(engine.docker, async () => {
    if (calls++ < 2) throw new RackError('host-failed', 'HAProxy does not answer')
    return { cutConnections: 0 }
  })
  engine.add('P1', 'running', '.draining-1')
  parts.reaper.adopt([await engine.find('P1')])
  const gone = watch(parts.reaper.gone(['P1'], control))
  const tried = watch(parts.reaper.tried(['P1'], control))
  await pass(1000)
  assert.equal(tried.state, 'settled')
  assert.deepEqual([gone.state, engine.containers.get('P1')?.state], ['pending', 'running'])
  await pass(2000)
  assert.deepEqual([gone.state, troubles.length], ['settled', 1])
})

test('copies are not gone because the engine is closed', async (t) => {
  const pass = createClock(t)
  const engine = createDockerContainers((call) => {
    if (call.startsWith('DELETE')) throw refused()
  })
  const { parts, closing, troubles } = partsOf(engine.docker, retireAtOnce)
  engine.add('P1', 'running', '.draining-1')
  parts.reaper.adopt([await engine.find('P1')])
  const gone = watch(parts.reaper.gone(['P1'], control))
  await pass(0)
  closing.abort(new RackError('cancelled', 'the rack is stopping'))
  await pass(60_000)
  assert.match(gone.state, /the rack is stopping/)
  assert.equal(troubles.length, 1)
  assert.equal(engine.calls.filter((call) => call.startsWith('DELETE')).length, 1)
})

test('a copy that somebody else removes while it leaves is done, and leaves no trace', async (t) => {
  const pass = createClock(t)
  const drained = Promise.withResolvers<{ cutConnections: number }>()
  const engine = createDockerContainers()
  const { parts, troubles } = partsOf(engine.docker, async () => await drained.promise)
  engine.add('P1', 'running', '.draining-1')
  parts.reaper.adopt([await engine.find('P1')])
  const gone = watch(parts.reaper.gone(['P1'], control))
  engine.containers.delete('P1')
  parts.leaving.delete('P1')
  drained.resolve({ cutConnections: 0 })
  await pass(0)
  assert.deepEqual([gone.state, troubles, [...parts.leaving]], ['settled', [], []])
})

test('what Docker is still removing is not gone yet', async (t) => {
  const pass = createClock(t)
  let isRemoving = true
  const engine = createDockerContainers((call) => {
    if (isRemoving && call.startsWith('DELETE')) throw new RackError('conflict', 'removal is in progress')
  })
  const { parts, troubles } = partsOf(engine.docker, retireAtOnce)
  engine.add('P1', 'exited', '.draining-1')
  parts.reaper.adopt([await engine.find('P1')])
  const gone = watch(parts.reaper.gone(['P1'], control))
  await pass(200)
  assert.equal(gone.state, 'pending')
  isRemoving = false
  engine.containers.delete('P1')
  await pass(200)
  assert.deepEqual([gone.state, troubles], ['settled', []])
})

test('a container that was removed by hand has no names to take away', async () => {
  const engine = createDockerContainers()
  const { parts, troubles } = partsOf(engine.docker, retireAtOnce)
  engine.add('P1', 'running')
  const found = await engine.find('P1')
  engine.containers.delete('P1')
  await stopCopies(parts, [found], control)
  assert.deepEqual(troubles, [])
})

test('what is of a type that is no more leaves when those have left who may call it', async (t) => {
  const pass = createClock(t)
  const { promise: mayStop, resolve: letStop } = Promise.withResolvers<void>()
  const engine = createDockerContainers(async (call) => {
    if (call === 'POST /containers/P1/stop') await mayStop
  })
  const { parts } = partsOf(engine.docker, retireAtOnce)
  for (const id of ['P1', 'P2']) engine.add(id, 'running', '.draining-1')
  engine.add('P3', 'running')
  const draining = { mark: 'draining', drainMs: 60_000, drainingSinceMs: Date.now(), pid: 0 } as const
  const old = { ...(await engine.find('P1')), ...draining }
  const gone = { ...(await engine.find('P2')), ...draining, type: 'db' }
  parts.reaper.adopt([old, gone, await engine.find('P3')])
  const stops = () => engine.calls.filter((call) => call.endsWith('/stop'))
  await pass(0)
  assert.deepEqual(stops(), ['POST /containers/P1/stop'])
  letStop()
  await pass(0)
  await pass(200)
  assert.deepEqual(stops(), ['POST /containers/P1/stop', 'POST /containers/P2/stop'])
  await parts.reaper.gone(['P1', 'P2'], control)
})

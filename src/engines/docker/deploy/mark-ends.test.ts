import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDockerContainers, partsOf } from '../../../../test/support/docker-containers.ts'
import { RackError } from '../../../domain/error.ts'
import { markFormerEnds } from './mark-ends.ts'

const control = { signal: new AbortController().signal }
const retireAtOnce = async () => ({ cutConnections: 0 })

test('a copy that cannot be asked about keeps no other from being marked', async () => {
  const engine = createDockerContainers((call) => {
    if (call === 'GET /events P1') throw new RackError('engine-failed', 'it is not there')
  })
  const { parts, troubles } = partsOf(engine.docker, retireAtOnce)
  for (const id of ['P1', 'P2']) engine.add(id, 'exited')
  await markFormerEnds(parts, [await engine.find('P1'), await engine.find('P2')], control)
  assert.equal((await engine.find('P2')).mark, 'completed')
  assert.equal(troubles.length, 1)
})

test('a start that is given up marks nothing more', async () => {
  const ending = new AbortController()
  const engine = createDockerContainers((call) => {
    if (!call.startsWith('GET /events')) return
    ending.abort(new RackError('cancelled', 'the rack is stopping'))
    throw new RackError('cancelled', 'the operation was cancelled')
  })
  const { parts, troubles } = partsOf(engine.docker, retireAtOnce)
  engine.add('P1', 'exited')
  const marking = markFormerEnds(parts, [await engine.find('P1')], ending)
  await assert.rejects(marking, /the rack is stopping/)
  assert.deepEqual(troubles, [])
})

test('a copy that is marked or started again while it is asked about keeps its mark', async () => {
  for (const meanwhile of ['.parked', '.draining-1', 'started', 'leaving']) {
    const engine = createDockerContainers((call) => {
      if (!call.startsWith('GET /events')) return
      if (meanwhile === 'leaving') parts.leaving.set('P1', 'draining')
      else if (meanwhile === 'started') engine.add('P1', 'running')
      else engine.add('P1', 'exited', meanwhile)
    })
    const { parts } = partsOf(engine.docker, retireAtOnce)
    engine.add('P1', 'exited')
    await markFormerEnds(parts, [await engine.find('P1')], control)
    const { mark } = await engine.find('P1')
    assert.notEqual(mark, 'completed', meanwhile)
  }
})

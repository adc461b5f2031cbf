import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDockerContainers } from '../../../../test/support/docker-containers.ts'
import { RackError } from '../../../domain/error.ts'
import { hasEndedByItself } from './own-end.ts'

const control = { signal: new AbortController().signal }

test('an end that Docker remembers without a signal before it is its own', async () => {
  const engine = createDockerContainers()
  engine.add('P1', 'exited')
  assert.equal(await hasEndedByItself(engine.docker, await engine.find('P1'), control), true)
})

test('nothing is known of an end before the start, as after the clock was set back', async () => {
  const engine = createDockerContainers((call) => {
    if (call.startsWith('GET /events'))
      throw new RackError('engine-failed', '`since` cannot be after `until`')
  })
  engine.add('P1', 'exited')
  const found = await engine.find('P1')
  const startedAt = '2026-01-01T01:00:00Z'
  assert.equal(await hasEndedByItself(engine.docker, { ...found, startedAt }, control), false)
  const future = { ...found, startedAt: '2999-01-01T00:00:00Z', finishedAt: '2999-01-01T00:00:01Z' }
  assert.equal(await hasEndedByItself(engine.docker, future, control), false)
})

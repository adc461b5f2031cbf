import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../../domain/error.ts'
import { StartError } from '../containers/copies.ts'
import { startFailed } from './copy-failure.ts'

test('a container that the engine does not start: the hint names each key that it may refuse', () => {
  const cause = new RackError('engine-failed', 'Docker Engine: Unable to find group daemon')
  const { code, message, hint = '' } = startFailed('web', new StartError('PAAAAAAAAAA', cause))
  assert.equal(code, 'deploy-failed')
  assert.equal(message, 'web: the process could not be started: Docker Engine: Unable to find group daemon')
  for (const key of ['command', 'entrypoint', 'user', 'group_add', 'sysctls', 'ulimits']) {
    assert.ok(hint.includes(key), key)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan } from '../../../../test/support/plans.ts'
import { RackError } from '../../../domain/error.ts'
import { StartError } from '../containers/copies.ts'
import { withAdvice } from '../../../rollout/failure.ts'
import { startFailed } from './start-failure.ts'

test('a container that the engine does not start: the hint names each key that it may refuse', () => {
  const cause = new RackError('engine-failed', 'Docker Engine: Unable to find group daemon')
  const plan = processPlan()
  const failed = startFailed(plan, new StartError('PAAAAAAAAAA', cause))
  const advised = withAdvice(failed, { plan: planOf([plan]), live: null }, null) as RackError
  const { code, message, hint = '' } = advised
  assert.equal(code, 'deploy-failed')
  assert.equal(message, 'web: the process could not be started: Docker Engine: Unable to find group daemon')
  for (const key of ['command', 'entrypoint', 'user', 'group_add', 'sysctls', 'ulimits']) {
    assert.ok(hint.includes(key), key)
  }
})

test('what the engine quotes of the environment is masked; names that the rack gives are not', () => {
  const environment = { SECRET: 'hunter2secret', PROCESS: 'worker' }
  const cause = new RackError('engine-failed', 'worker: stat /bin/hunter2secret: no such file', {
    hint: 'Look.',
  })
  const failed = startFailed(processPlan({ environment }), new StartError('PAAAAAAAAAA', cause))
  assert.match(failed.message, /: worker: stat \/bin\/\*{4}: no such file$/)
  assert.match(failed.hint ?? '', /Look\./)
  assert.ok(
    !JSON.stringify([failed.message, failed.hint, failed.details, failed.cause]).includes('hunter2secret'),
  )
})

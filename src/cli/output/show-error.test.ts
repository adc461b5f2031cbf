import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { describeError, errorRecord } from './show-error.ts'

test('problems of a compose file are listed with their places', () => {
  const details = [
    {
      severity: 'error',
      position: { file: 'compose.yml', line: 3, column: 5 },
      path: 'services.web.prots',
      message: 'unknown key',
      hint: 'did you mean "ports"?',
    },
    { severity: 'warning', position: { file: 'compose.yml', line: 9, column: 1 }, path: '', message: 'odd' },
  ]
  assert.deepEqual(
    describeError(new RackError('manifest-invalid', 'the compose file has problems', { details })),
    [
      'error: the compose file has problems',
      '  compose.yml:3:5: error: services.web.prots: unknown key; did you mean "ports"?',
      '  compose.yml:9:1: warning: odd',
    ],
  )
})

test('a failed deploy shows each copy with its exit, probe and last lines, once', () => {
  const failure = {
    process: 'PAAAAAAAAAA',
    type: 'web',
    reason: 'exited',
    exitCode: 3,
    lastLines: ['one', 'two'],
    probe: null,
  }
  const unhealthy = {
    ...failure,
    reason: 'not-healthy',
    exitCode: null,
    lastLines: [],
    probe: 'GET /health answered 500',
  }
  const error = new RackError('deploy-failed', 'web: the process exited\ntwo', {
    details: [failure, unhealthy],
  })
  assert.deepEqual(describeError(error), [
    'error: web: the process exited\ntwo',
    '  web PAAAAAAAAAA: exited with 3',
    '    | one',
    '  web PAAAAAAAAAA: not healthy',
    '    probe: GET /health answered 500',
  ])
})

test('details of any other shape are left to --json', () => {
  const error = new RackError('deploy-failed', 'no', { details: { anything: [1] }, requestId: 'r1' })
  assert.deepEqual(describeError(error), ['error: no'])
  assert.deepEqual(errorRecord(error), {
    code: 'deploy-failed',
    detail: 'no',
    hint: undefined,
    details: { anything: [1] },
    requestId: 'r1',
  })
})

test('a bug of the rack names the request, by which its log has the cause', () => {
  const error = new RackError('internal', 'something broke', { requestId: 'abc' })
  assert.deepEqual(describeError(error), ['error: something broke', '  request abc'])
})

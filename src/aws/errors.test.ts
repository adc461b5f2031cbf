import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import { isAwsError, translateError } from './errors.ts'

const named = (name: string, more: object = {}) => Object.assign(new Error('said so'), { name, ...more })

const codeOf = (name: string, more: object = {}) => {
  const error = translateError(named(name, more), 'CreateServiceCommand')
  assert.ok(error instanceof RackError)
  assert.match(error.message, /CreateService(?!Command)/)
  return error.code
}

test('what AWS says no with is told by its name', () => {
  const rows: [string, string][] = [
    ['ExpiredTokenException', 'engine-unavailable'],
    ['CredentialsProviderError', 'engine-unavailable'],
    ['ThrottlingException', 'engine-unavailable'],
    ['RequestLimitExceeded', 'engine-unavailable'],
    ['TooManyRequestsException', 'engine-unavailable'],
    ['AccessDeniedException', 'engine-failed'],
    ['UnauthorizedOperation', 'engine-failed'],
    ['TooManyTargetGroupsException', 'capacity'],
    ['LimitExceededException', 'capacity'],
    ['InvalidParameterException', 'engine-failed'],
  ]
  for (const [name, code] of rows) assert.equal(codeOf(name), code, name)
})

test('what is not allowed says what a rack needs, and what a limit is raised by', () => {
  const hintOf = (name: string, client: string) => {
    const error = translateError(named(name), 'CreateTargetGroupCommand', client)
    assert.ok(error instanceof RackError)
    assert.match(error.message, /said so/, "AWS's words name the action, the resource and whose no it is")
    return error.hint
  }
  assert.match(hintOf('AccessDeniedException', 'ECSClient')!, /rack install aws --policy.*explicit deny/)
  assert.match(
    hintOf('TooManyTargetGroupsException', 'ElasticLoadBalancingV2Client')!,
    /\/servicequotas\/home\/services\/elasticloadbalancing\/quotas$/,
  )
  assert.match(hintOf('LimitExceededException', 'KMSClient')!, /\/servicequotas\/home$/)
})

test('who does not answer is away: a cut connection, a status of 500 and above', () => {
  assert.equal(codeOf('Error', { code: 'ECONNRESET' }), 'engine-unavailable')
  assert.equal(codeOf('InternalFailure', { $metadata: { httpStatusCode: 503 } }), 'engine-unavailable')
})

test('an ended signal and our own errors stay as they are; the cause is still known by its name', () => {
  const aborted = named('AbortError')
  assert.equal(translateError(aborted, 'X'), aborted)
  const own = new RackError('conflict', 'no')
  assert.equal(translateError(own, 'X'), own)
  const translated = translateError(named('RuleNotFoundException'), 'DeleteRuleCommand')
  assert.ok(isAwsError(translated, 'RuleNotFound', 'RuleNotFoundException'))
  assert.ok(!isAwsError(translated, 'Other'))
})

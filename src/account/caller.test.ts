import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { STS } from '@aws-sdk/client-sts'
import { RackError } from '../domain/error.ts'
import { checkRegion, readCaller } from './caller.ts'

const control = { signal: new AbortController().signal }
const saying = (answer: () => Promise<object>) => ({ getCallerIdentity: answer }) as unknown as STS
const known = (Arn: string) =>
  readCaller(
    saying(async () => ({ Account: '1', Arn })),
    'eu-west-1',
    control,
  )

test('a Region is written as AWS writes it, and is one of the public ones', () => {
  for (const region of ['eu-west-1', 'ap-southeast-2', 'eu-test-1']) assert.equal(checkRegion(region), region)
  const rows: [string | undefined, string][] = [
    [undefined, 'usage'],
    ['eu-west-1a', 'usage'],
    ['Ireland', 'usage'],
    ['cn-north-1', 'unsupported'],
    ['us-gov-west-1', 'unsupported'],
  ]
  for (const [region, code] of rows) assert.throws(() => checkRegion(region), { code }, region ?? 'none')
})

test('who calls is told by the ARN, and where the account is by its partition', async () => {
  const rows: [string, string, string][] = [
    ['arn:aws:iam::1:root', 'root', 'root'],
    ['arn:aws:iam::1:user/teams/anna', 'user', 'user/teams/anna'],
    ['arn:aws:sts::1:assumed-role/Admin/anna', 'role', 'role/Admin'],
    ['arn:aws:sts::1:federated-user/bob', 'federated', 'federated-user/bob'],
  ]
  for (const [arn, kind, name] of rows) {
    const caller = await known(arn)
    assert.deepEqual([caller.kind, caller.name], [kind, name])
  }
  await assert.rejects(known('arn:aws-cn:iam::1:root'), { code: 'unsupported' })
})

test('each way to be nobody says what to type', async () => {
  const rows: [string, string, RegExp][] = [
    ['CredentialsProviderError', 'unauthorized', /no credentials/],
    ['ExpiredToken', 'unauthorized', /have expired/],
    ['InvalidClientTokenId', 'unauthorized', /does not know these credentials in eu-west-1/],
    ['SignatureDoesNotMatch', 'unauthorized', /does not fit/],
  ]
  for (const [name, code, message] of rows) {
    const cause = Object.assign(new Error('no'), { name })
    const refused = saying(async () => Promise.reject(new RackError('engine-failed', 'no', { cause })))
    await assert.rejects(readCaller(refused, 'eu-west-1', control), (error: RackError) => {
      assert.match(error.message, message)
      assert.match(error.hint ?? '', /aws sso login/)
      return error.code === code
    })
  }
  const cause = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })
  const nowhere = saying(async () => Promise.reject(new RackError('engine-unavailable', 'x', { cause })))
  await assert.rejects(readCaller(nowhere, 'eu-wst-1', control), /no Region "eu-wst-1" answers/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFingerprint } from './pin-certificate.ts'

const found = { of: 'aws://eu-west-1/shop', found: 'AB:CD:EF', right: 'On the rack: rack certs ca' }

for (const same of ['AB:CD:EF', 'abcdef', 'sha256:ab cd ef'])
  test(`the fingerprint is the same as "${same}"`, () => checkFingerprint(same, found))

test('another fingerprint than the one that was said is not believed', () => {
  assert.throws(() => checkFingerprint('AB:CD', found), {
    code: 'untrusted',
    message: 'the certificate of aws://eu-west-1/shop has another fingerprint: AB:CD:EF',
    hint: /^Nothing was sent to it\. On the rack: rack certs ca tells/,
  })
})

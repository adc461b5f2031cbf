import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { isIpRange } from './ip-range.ts'

test('addresses and ranges of both families', () => {
  for (const good of [
    '10.0.0.1',
    '10.0.0.0/8',
    '0.0.0.0/0',
    '::',
    '::1',
    '2001:db8::/32',
    '::ffff:10.0.0.1',
    '1::8/128',
  ])
    assert.ok(isIpRange(good), good)
  const bad = [
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/',
  ]
  for (const text of [
    ...bad,
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '::/129',
    '12345::',
    'localhost',
    '10.0.0.1:80',
  ])
    assert.ok(!isIpRange(text), text)
})

test('what is an address here is one for Node', () => {
  const piece = fc.constantFrom('::', ':', '.', '0', '1', 'ff', 'FFFF', '10.0.0.1', '255', '12345', 'g')
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
  const groups = fc.array(fc.constantFrom('0', 'ff', 'abcd'), { minLength: 5, maxLength: 9 })
  const whole = groups.map((each) => each.join(':'))
  fc.assert(
    fc.property(
      fc.oneof(text, whole, fc.ipV4(), fc.ipV6()),
      (address) => isIpRange(address) === isIP(address) > 0,
    ),
    { numRuns: 5000 },
  )
})

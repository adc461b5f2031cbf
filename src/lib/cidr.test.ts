import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidrsOverlap, enclosingCidr, formatCidr, formatIpv4, lastOfCidr, parseCidr } from './cidr.ts'

test('ranges are read and written', () => {
  for (const text of ['10.213.0.0/16', '0.0.0.0/0', '192.168.1.7/32', '255.255.255.0/24']) {
    assert.equal(formatCidr(parseCidr(text)!), text)
  }
  assert.equal(parseCidr('10.213.0.1/16'), null)
  const bad = [
    '10.213.0.0',
    '10.0.0/8',
    '10.256.0.0/16',
    '01.0.0.0/8',
    '10.0.0.0/33',
    '',
    '10.0.0.0/8/8',
    'fd00::/8',
  ]
  for (const text of bad) {
    assert.deepEqual([parseCidr(text), enclosingCidr(text)], [null, null], text)
  }
})

test('ranges overlap when one holds the other, and not when they only touch', () => {
  const overlap = (a: string, b: string) => cidrsOverlap(parseCidr(a)!, parseCidr(b)!)
  assert.ok(overlap('10.0.0.0/8', '10.213.4.0/24'))
  assert.ok(overlap('10.213.4.0/24', '10.0.0.0/8'))
  assert.ok(overlap('0.0.0.0/0', '10.0.0.0/8'))
  assert.ok(overlap('10.213.4.0/24', '10.213.4.128/25'))
  assert.ok(!overlap('10.213.0.0/24', '10.213.1.0/24'))
  assert.ok(!overlap('192.168.0.0/16', '192.169.0.0/16'))
})

test('an address within gives the range that it lies in, whose last is its broadcast', () => {
  assert.deepEqual(enclosingCidr('10.213.5.9/16'), parseCidr('10.213.0.0/16'))
  assert.equal(formatIpv4(lastOfCidr(parseCidr('10.213.0.0/16')!)), '10.213.255.255')
  assert.equal(lastOfCidr(parseCidr('0.0.0.0/0')!), 2 ** 32 - 1)
  assert.equal(formatIpv4(enclosingCidr('255.255.255.255/32')!.base), '255.255.255.255')
})

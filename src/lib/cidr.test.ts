import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidrsOverlap, formatCidr, parseCidr } from './cidr.ts'

test('ranges are read and written', () => {
  for (const text of ['10.213.0.0/16', '0.0.0.0/0', '192.168.1.7/32', '255.255.255.0/24']) {
    assert.equal(formatCidr(parseCidr(text)!), text)
  }
  for (const text of ['10.213.0.0', '10.213.0.1/16', '10.256.0.0/16', '10.0.0.0/33', '', '10.0.0.0/8/8']) {
    assert.equal(parseCidr(text), null, text)
  }
})

test('ranges overlap when one holds the other, and not when they only touch', () => {
  const overlap = (a: string, b: string) => cidrsOverlap(parseCidr(a)!, parseCidr(b)!)
  assert.ok(overlap('10.0.0.0/8', '10.213.4.0/24'))
  assert.ok(overlap('10.213.4.0/24', '10.0.0.0/8'))
  assert.ok(overlap('0.0.0.0/0', '10.0.0.0/8'))
  assert.ok(!overlap('10.213.0.0/24', '10.213.1.0/24'))
})

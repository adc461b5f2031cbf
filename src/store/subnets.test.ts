import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lastOfCidr } from '../lib/cidr.ts'
import { addressesAfter, rangeOf, subnetsOf } from './subnets.ts'

test('what is no CIDR is refused', () => {
  for (const bad of ['', '10.0.0.0', '10.0.0.0/33', 'fd00::/8']) {
    assert.throws(() => rangeOf(bad), { code: 'invalid' }, bad)
  }
})

test('the subnets of a pool fill it without a gap', () => {
  assert.deepEqual(
    [...subnetsOf({ cidr: '10.0.0.0/22', subnetBits: 24 })],
    ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24'],
  )
  assert.deepEqual([...subnetsOf({ cidr: '10.0.0.0/24', subnetBits: 24 })], ['10.0.0.0/24'])
  for (const subnetBits of [0, 23, 30, 24.5, Number.NaN]) {
    assert.throws(
      () => [...subnetsOf({ cidr: '10.0.0.0/24', subnetBits })],
      { code: 'invalid' },
      String(subnetBits),
    )
  }
})

test('wherever the search begins it passes every address once, the next one first', () => {
  fc.assert(
    fc.property(fc.integer({ min: 22, max: 29 }), fc.nat(), (bits, seed) => {
      const cidr = `10.7.8.0/${bits}`
      const range = rangeOf(cidr)
      const [first, last] = [range.base, lastOfCidr(range)]
      const previous = seed % 3 === 0 ? 0 : first + (seed % (last - first + 1))
      const order = [...addressesAfter(cidr, previous)]
      assert.equal(new Set(order).size, last - first - 2)
      assert.ok(order.every((address) => address >= first + 2 && address < last))
      const isInside = previous >= first + 2 && previous < last - 1
      assert.equal(order[0], isInside ? previous + 1 : first + 2)
    }),
  )
})

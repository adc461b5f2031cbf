import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateFindings } from './certificate-findings.ts'

test('what proves a name is told with the records that have to stand beside it', () => {
  const rack = { domain: 'rack.test', host: 'own.elb.test' }
  const found = (name: string, proof: string | null, state: 'pending' | 'issued' = 'pending') => {
    const record = proof === null ? null : { name: proof, type: 'CNAME' as const, value: 'v.acm.test' }
    return certificateFindings([{ name, state, proof: record, failure: null }], rack).map(({ fix }) => fix)
  }
  assert.deepEqual(found('www.example.test', '_a.www.example.test'), [
    'Put it where the DNS of www.example.test is: _a.www.example.test CNAME v.acm.test',
  ])
  assert.deepEqual(found('*.shop.rack.test', '_a.shop.rack.test'), [
    'Put it where the DNS of *.shop.rack.test is: _a.shop.rack.test CNAME v.acm.test. Before it these, which *.rack.test leads no more once it is there: shop.rack.test CNAME own.elb.test, *.shop.rack.test CNAME own.elb.test',
  ])
  assert.deepEqual(found('*.shop.rack.test', null), ['It is asked for again: look once more in a minute'])
  assert.deepEqual(found('*.shop.rack.test', '_a.shop.rack.test', 'issued'), [])
})

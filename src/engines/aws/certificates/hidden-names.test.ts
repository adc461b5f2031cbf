import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hiddenBy, hiddenLeads } from './hidden-names.ts'

test('a record hides all that it is below from the wildcard of the domain, and nothing else', () => {
  const hidden = (name: string) => hiddenBy({ name }, 'rack.test')
  assert.deepEqual(hidden('_a.shop.rack.test'), ['shop.rack.test', '*.shop.rack.test'])
  assert.deepEqual(hidden('_a.b.shop.rack.test'), [
    'b.shop.rack.test',
    '*.b.shop.rack.test',
    'shop.rack.test',
    '*.shop.rack.test',
  ])
  for (const name of ['_a.rack.test', '_a.example.test', '_a.shop.other-rack.test', 'rack.test'])
    assert.deepEqual(hidden(name), [], name)
})

test('what is hidden leads where the wildcard does, else to the balancer of the rack', () => {
  const targets = (name: string, Type: 'CNAME' | 'A') => {
    const sets = [{ name, set: { Name: `${name}.`, Type, ResourceRecords: [{ Value: 'front.test.' }] } }]
    const leads = hiddenLeads({ domain: 'rack.test', host: 'own.test', sets }, { name: '_a.shop.rack.test' })
    return leads.map(({ ResourceRecords }) => ResourceRecords![0]!.Value)
  }
  assert.deepEqual(targets('*.rack.test', 'CNAME'), ['front.test.', 'front.test.'])
  assert.deepEqual(targets('*.rack.test', 'A'), ['own.test', 'own.test'])
  assert.deepEqual(targets('*.test', 'CNAME'), ['own.test', 'own.test'])
})

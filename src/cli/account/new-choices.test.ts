import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withDomain } from './new-choices.ts'

test('an update says the domain to stacks that were made without it, and stays silent of the usual one', () => {
  const inside = { allow: ['10.0.0.0/8'] }
  const domain = 'apps.example.com'
  assert.deepEqual(withDomain({ rack: 'shop', inside }, domain), { ...inside, domain })
  const said = { domain, ...inside }
  // Stacks are compared by what is written there, in its order.
  assert.equal(JSON.stringify(withDomain({ rack: 'shop', inside: said }, domain)), JSON.stringify(said))
  assert.deepEqual(withDomain({ rack: 'shop', inside }, 'shop.internal'), inside)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appNamePattern } from './app.ts'
import { appHint, appOwner, compareOwners, isSameOwner, ownerKey, readOwnerKey, type Owner } from './owner.ts'

const owners: fc.Arbitrary<Owner> = fc
  .tuple(fc.constantFrom('app' as const, 'service' as const), fc.stringMatching(/^[a-z][a-z0-9-]{2,5}$/))
  .map(([kind, name]) => ({ kind, name }))

test('the key of an owner tells it from every other, and can be read back', () => {
  fc.assert(
    fc.property(owners, owners, (one, other) => {
      assert.deepEqual(readOwnerKey(ownerKey(one)), one)
      assert.equal(ownerKey(one) === ownerKey(other), isSameOwner(one, other))
      assert.equal(compareOwners(one, other) === 0, isSameOwner(one, other))
    }),
  )
})

test("an app's key is its name, as it always was; a service's can be no app's", () => {
  assert.equal(ownerKey(appOwner('shop')), 'shop')
  const service = ownerKey({ kind: 'service', name: 'shop' })
  assert.equal(service, '_shop')
  assert.doesNotMatch(service, appNamePattern)
})

test('a hint about an app names it; there is none about a service', () => {
  assert.deepEqual(appHint(appOwner('shop'), 'rack ps'), { hint: 'rack ps --app shop' })
  assert.deepEqual(appHint({ kind: 'service', name: 'shop' }, 'rack ps'), {})
})

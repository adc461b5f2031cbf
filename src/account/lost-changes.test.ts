import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StackChange } from '../aws/change-sets.ts'
import { assertNothingLost, lostChanges } from './make-stacks.ts'

const change = (action: StackChange['action'], resource: string, type: string): StackChange => ({
  action,
  resource,
  type,
})

test('a secret of the base that changes is as good as lost, and changes only where it is named', () => {
  const key = change('Modify', 'StoreKey', 'AWS::SecretsManager::Secret')
  const changes = [key, change('Modify', 'Store', 'AWS::RDS::DBInstance'), change('Add', 'Zone', 'AWS::X::Y')]
  const plan = { name: 'rack-shop-base', changes }
  assert.deepEqual(lostChanges('shop', plan), [key])
  assert.deepEqual(lostChanges('shop', { ...plan, name: 'rack-shop' }), [])
  assert.throws(() => assertNothingLost({ rack: 'shop', replace: [] }, plan), {
    code: 'conflict',
    message:
      'the stack rack-shop-base stays as it is: StoreKey (AWS::SecretsManager::Secret) would get another value',
  })
  assertNothingLost({ rack: 'shop', replace: ['StoreKey'] }, plan)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StackChange } from '../../../aws/change-sets.ts'
import { assertKept } from './provision.ts'

const database = (action: StackChange['action'], because?: string[]): StackChange => ({
  action,
  resource: 'Database',
  type: 'AWS::RDS::DBInstance',
  ...(because && { because }),
})

test('no change takes the data away; other settings, which a new version wants, do not', () => {
  const settings = { action: 'Replace', resource: 'Settings', type: 'AWS::RDS::DBParameterGroup' } as const
  for (const kept of [database('Modify'), database('Replace', ['DBParameterGroupName'])])
    assert.doesNotThrow(() => assertKept('main', [settings, kept]))
  for (const lost of [
    database('Remove'),
    database('Replace', []),
    database('Replace', ['Engine']),
    database('Replace', ['DBParameterGroupName', 'Port']),
    { ...settings, resource: 'Cache' },
  ])
    assert.throws(() => assertKept('main', [settings, lost]), /main stays as it is/)
})

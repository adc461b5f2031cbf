import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StackChange } from '../../../aws/change-sets.ts'
import type { AwsClients } from '../../../aws/clients.ts'
import { assertKept, assertUpgraded } from './provision.ts'

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

test('a version that RDS has not brought a database to is told, though its stack says that all went well', async () => {
  const clients = {
    stacks: {
      describeStackResource: async () => ({ StackResourceDetail: { PhysicalResourceId: 'db-1' } }),
    },
    databases: { describeDBInstances: async () => ({ DBInstances: [{ EngineVersion: '15.12' }] }) },
  } as unknown as AwsClients
  const control = { signal: new AbortController().signal, report: () => undefined }
  const upgraded = async (version: string) =>
    await assertUpgraded({ clients, rack: 'r1' }, { name: 'main', kind: 'postgres', version }, control)
  await upgraded('15')
  await assert.rejects(upgraded('17'), {
    message: 'RDS has left main at version 15.12',
    hint: /events and logs of db-1\. .+: rack services update main --version 15$/,
  })
})

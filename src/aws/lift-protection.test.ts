import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AwsClients } from './clients.ts'
import { liftProtection } from './lift-protection.ts'

const refused = (name: string) => Object.assign(new Error(name), { name, $metadata: {}, $fault: 'client' })

test('a database that is busy is asked again; one that is gone needs nothing', async () => {
  const answers = ['InvalidDBInstanceState', 'InvalidDBInstanceStateFault', null, 'DBInstanceNotFoundFault']
  const stacks = {
    describeStackResource: async () => ({
      StackResourceDetail: { PhysicalResourceId: 'db-1', ResourceType: 'AWS::RDS::DBInstance' },
    }),
  } as unknown as AwsClients['stacks']
  const databases = {
    modifyDBInstance: async () => {
      const name = answers.shift()
      if (name) throw refused(name)
    },
  } as unknown as AwsClients['databases']
  const { signal } = new AbortController()
  const named = { stack: 'rack-shop-base', resource: 'Store', intervalMs: 1 }
  await liftProtection({ stacks, databases, ...named }, { signal })
  assert.equal(answers.length, 1)
  await liftProtection({ stacks, databases, ...named }, { signal })
  assert.deepEqual(answers, [])
})

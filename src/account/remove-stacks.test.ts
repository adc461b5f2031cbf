import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstallationAccount } from './installation-account.ts'
import { removeStacks } from './remove-stacks.ts'
import { snapshotType } from './store-snapshots.ts'

const failure = (name: string) => Object.assign(new Error(name), { name })
const control = { signal: new AbortController().signal, report: () => undefined }

test('a snapshot that RDS does not delete now keeps nothing else from going, and is told as left', async () => {
  const deleted: string[] = []
  const account = {
    clients: {
      stacks: {
        async describeStacks({ StackName }: { StackName?: string }) {
          if (StackName !== undefined) throw failure('ValidationError')
          return { Stacks: [] }
        },
      },
      certificates: { listCertificates: async () => ({}) },
      databases: {
        async deleteDBSnapshot({ DBSnapshotIdentifier: id }: { DBSnapshotIdentifier: string }) {
          if (id === 'failed') throw failure('InvalidDBSnapshotState')
          if (id === 'gone') throw failure('DBSnapshotNotFound')
          deleted.push(id)
        },
      },
    },
    keys: { scheduleKeyDeletion: async () => undefined },
  } as unknown as InstallationAccount
  const key = { type: 'AWS::KMS::Key', id: 'key' }
  const snapshots = ['failed', 'gone', 'last'].map((id) => ({ type: snapshotType, id }))
  const left = await removeStacks(account, { rack: 'shop', data: true, held: [...snapshots, key] }, control)
  assert.deepEqual([left, deleted], [[snapshots[0], key], ['last']])
})

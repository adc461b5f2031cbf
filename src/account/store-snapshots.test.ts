import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RDS } from '@aws-sdk/client-rds'
import { storeSnapshots } from './store-snapshots.ts'

test('the snapshots of one store are found, and none of an earlier rack of the name', async () => {
  const TagList = [
    { Key: 'rack:name', Value: 'shop' },
    { Key: 'Name', Value: 'rack-shop-store' },
  ]
  const snapshot = (id: string, instance: string) => ({
    DBSnapshotIdentifier: id,
    DBInstanceIdentifier: instance,
    TagList,
  })
  const pages: Record<string, object> = {
    first: { DBSnapshots: [snapshot('own', 'rack-shop-base-store-2')], Marker: 'next' },
    next: {
      DBSnapshots: [
        snapshot('earlier', 'rack-shop-base-store-1'),
        snapshot('more', 'rack-shop-base-store-2'),
      ],
    },
  }
  const databases = {
    describeDBSnapshots: async ({ Marker = 'first' }: { Marker?: string }) => pages[Marker],
  } as unknown as RDS
  const { signal } = new AbortController()
  assert.deepEqual(await storeSnapshots({ clients: { databases } }, 'rack-shop-base-store-2', { signal }), [
    { type: 'AWS::RDS::DBSnapshot', id: 'own' },
    { type: 'AWS::RDS::DBSnapshot', id: 'more' },
  ])
})

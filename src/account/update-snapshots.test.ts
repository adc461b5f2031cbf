import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RDS } from '@aws-sdk/client-rds'
import { snapshotName, surplusSnapshots, takeSnapshot } from './update-snapshots.ts'

test('a snapshot is called by its rack, the version to come and the time, as RDS takes names', () => {
  const at = new Date('2026-12-01T09:22:15.123Z')
  const named = (version: string) => snapshotName({ rack: 'shop', version }, at)
  assert.equal(named('0.2.0'), 'rack-shop-before-0-2-0-20261201t092215')
  assert.equal(named('1.0.0-RC.1+abc'), 'rack-shop-before-1-0-0-rc-1-abc-20261201t092215')
})

/** The snapshot of a try, by the daemon that was to come and the hour. */
const snapshot = (before: string | null, hour: number) => ({
  DBSnapshotIdentifier: `${before}-${hour}`,
  SnapshotCreateTime: new Date(Date.UTC(2026, 11, 1, hour)),
  TagList: before === null ? [] : [{ Key: 'rack:before', Value: before }],
})

test('of the last two updates the first and the last try stay, and so does what others have taken', () => {
  const all = [
    snapshot('a', 1),
    snapshot(null, 2),
    snapshot('b', 3),
    snapshot('b', 4),
    snapshot('b', 5),
    snapshot('c', 6),
  ]
  const ids = surplusSnapshots(all).map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier)
  assert.deepEqual(ids, ['b-4', 'a-1'])
  assert.deepEqual(surplusSnapshots(all.slice(2)).length, 1)
  assert.deepEqual(surplusSnapshots([]), [])
  // Of which nothing can be had is neither the first nor the last.
  const failed = (hour: number) => ({ ...snapshot('c', hour), Status: 'failed' })
  const tries = [failed(1), snapshot('c', 2), snapshot('c', 3), failed(4)]
  assert.deepEqual(surplusSnapshots(tries), [failed(4), failed(1)])
})

test('a store of which no snapshot can be taken is not waited for, and told with what to do', async () => {
  const failure = (name: string) => Object.assign(new Error(name), { name })
  const take = async (reason: string, ...states: string[]) => {
    const databases = {
      async createDBSnapshot() {
        throw failure(reason)
      },
      describeDBInstances: async () => ({ DBInstances: [{ DBInstanceStatus: states.shift() }] }),
    } as unknown as RDS
    const coming = { rack: 'shop', store: 'store', version: '1.0.0', image: 'daemon@sha256:1' }
    return await takeSnapshot({ clients: { databases }, intervalMs: 1 }, coming, new AbortController())
  }
  const busy = 'InvalidDBInstanceState'
  for (const [reason, states, message, hint] of [
    [busy, ['backing-up', 'stopped'], /store store is stopped/, /start-db-instance .* store$/],
    [busy, ['storage-full'], /is storage-full: no snapshot/, /rack doctor$/],
    ['DBInstanceNotFound', [], /store store is gone/, /rack doctor$/],
  ] as const)
    await assert.rejects(take(reason, ...states), { code: 'conflict', message, hint })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoreHealth } from '../account/store-health.ts'
import { storeFindings } from './store-findings.ts'

const well: StoreHealth = {
  name: 'store',
  arn: 'arn:aws:rds:eu-west-1:123456789012:db:store',
  status: 'available',
  isProtected: true,
  backupDays: 7,
  gigabytes: 20,
  mostGigabytes: 200,
  maintenance: [],
}
const told = (change: Partial<StoreHealth>) =>
  storeFindings({ ...well, ...change }).map(({ status, detail, fix = '' }) => `${status}: ${detail} → ${fix}`)

test('a store that is well is one line', () => {
  assert.deepEqual(told({}), ['good: the store store: available, 20 GB, backups of 7 days → '])
  assert.match(told({ status: 'backing-up' }).join(), /^good: /)
})

for (const [what, change, expected] of [
  [
    'gone',
    { status: null },
    /^bad: .* is gone: .* → aws rds describe-db-snapshots --snapshot-type manual --query .*=='store'.*; restore/,
  ],
  ['stopped', { status: 'stopped' }, /^bad: .* is stopped → aws rds start-db-instance/],
  ['stopping', { status: 'stopping' }, /^bad: .* is stopping → aws rds describe-events/],
  ['full', { status: 'storage-full' }, /^bad: .* is storage-full → .* --allocated-storage 40 --apply/],
  [
    'as full as it may get',
    { status: 'storage-full', gigabytes: 200 },
    /^bad: .* → .* --allocated-storage 400 --max-allocated-storage 800 --apply/,
  ],
  [
    'without its key',
    { status: 'inaccessible-encryption-credentials' },
    /^bad: .* → aws rds describe-events/,
  ],
  ['busy', { status: 'rebooting' }, /^warning: .* is rebooting/],
  ['not protected', { isProtected: false }, /^warning: anybody may delete .* --deletion-protection/],
  ['without backups', { backupDays: 0 }, /^warning: .* for 0 days → .* --backup-retention-period 7/],
  ['nearly full', { gigabytes: 180 }, /^warning: .* 180 of 200 GB → .* --max-allocated-storage 400/],
] as const)
  test(`a store that is ${what} is told with what to type`, () => assert.match(told(change).join(), expected))

test('what RDS is going to do is told, with its day', () => {
  const action = { action: 'system-update', description: 'New Operating System update is available' }
  const found = told({
    maintenance: [
      { ...action, at: new Date('2026-12-24T03:00:00Z') },
      { ...action, at: null },
    ],
  })
  assert.match(found[0]!, /^warning: RDS has a system-update for the store, on 2026-12-24 by itself: New/)
  assert.match(
    found[0]!,
    /→ To have it now, .*: aws rds apply-pending-maintenance-action --resource-identifier arn:\S+:db:store/,
  )
  assert.match(found[1]!, /for the store: New/)
})

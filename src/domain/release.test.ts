import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  describeChange,
  releaseOfBuild,
  releaseOfEnvironment,
  releaseOfRollback,
  type Release,
} from './release.ts'

const release = (id: string, build: string): Release => {
  return { id, app: 'shop', build, description: '', created: '2026-01-01T00:00:00.000Z', basedOn: null }
}
const live = { release: release('RAAAAAAAAAA', 'BLIVE'), environment: { A: '1' } }
const newest = { release: release('RBBBBBBBBBB', 'BNEW'), environment: { A: '1', B: '2' } }

test("a build's release takes the newest environment", () => {
  const draft = releaseOfBuild({ live, newest }, 'BNEXT', null)
  assert.deepEqual([draft.build, draft.environment], ['BNEXT', { A: '1', B: '2' }])
  assert.deepEqual(releaseOfBuild({ live: null, newest: null }, 'BNEXT', 'first').environment, {})
})

test("an environment change takes the live release's build, not an unpromoted one", () => {
  const draft = releaseOfEnvironment({ live, newest }, (before) => ({ ...before, C: '3' }))
  assert.deepEqual([draft.build, draft.environment], ['BLIVE', { A: '1', B: '2', C: '3' }])
  assert.equal(draft.description, 'env add:C')
  assert.equal(releaseOfEnvironment({ live: null, newest }, (before) => before).build, 'BNEW')
  assert.equal(releaseOfEnvironment({ live: null, newest: null }, () => ({ A: '1' })).build, null)
})

test('a rollback copies build and environment of the old release', () => {
  const draft = releaseOfRollback(live.release, live.environment)
  assert.deepEqual([draft.build, draft.environment, draft.basedOn], ['BLIVE', { A: '1' }, 'RAAAAAAAAAA'])
})

test('a change is described by sorted names, never by values', () => {
  assert.equal(describeChange({ B: 'x', A: 'x' }, { A: 'secret', C: 'x' }), 'env change:A remove:B add:C')
  assert.equal(describeChange({ A: 'x' }, { A: 'x' }), 'env unchanged')
})

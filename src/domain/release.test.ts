import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  describeChange,
  releaseOfBuild,
  releaseOfEnvironment,
  releaseOfLinks,
  releaseOfRollback,
  type Release,
} from './release.ts'

const main = { alias: 'db', service: 'main', version: 'VAAAAAAAAAA' }
const other = { alias: 'db', service: 'other', version: 'VBBBBBBBBBB' }
const release = (id: string, build: string, links: Release['links']): Release => {
  const created = '2026-01-01T00:00:00.000Z'
  return { id, app: 'shop', build, description: '', created, basedOn: null, links }
}
const live = { release: release('RAAAAAAAAAA', 'BLIVE', [main]), environment: { A: '1' } }
const newest = { release: release('RBBBBBBBBBB', 'BNEW', [other]), environment: { A: '1', B: '2' } }
const services = new Map<string, string>()

test("a build's release takes the newest environment", () => {
  const draft = releaseOfBuild({ live, newest, services }, 'BNEXT', null)
  assert.deepEqual([draft.build, draft.environment], ['BNEXT', { A: '1', B: '2' }])
  assert.deepEqual(releaseOfBuild({ live: null, newest: null, services }, 'BNEXT', 'first').environment, {})
})

test("an environment change takes the live release's build, not an unpromoted one", () => {
  const draft = releaseOfEnvironment({ live, newest, services }, (before) => ({ ...before, C: '3' }))
  assert.deepEqual([draft.build, draft.environment], ['BLIVE', { A: '1', B: '2', C: '3' }])
  assert.equal(draft.description, 'env add:C')
  assert.equal(releaseOfEnvironment({ live: null, newest, services }, (before) => before).build, 'BNEW')
  assert.equal(releaseOfEnvironment({ live: null, newest: null, services }, () => ({ A: '1' })).build, null)
})

test('builds and changes of the environment keep the newest links, a change of the links keeps the rest', () => {
  const history = { live, newest, services }
  assert.deepEqual(releaseOfBuild(history, 'BNEXT', null).links, [other])
  assert.deepEqual(releaseOfEnvironment(history, (before) => before).links, [other])
  const draft = releaseOfLinks(history, () => [main], 'link add:db')
  assert.deepEqual(
    [draft.build, draft.environment, draft.links, draft.description],
    ['BLIVE', { A: '1', B: '2' }, [main], 'link add:db'],
  )
})

test('a rollback copies build, environment and links of the old release', () => {
  const draft = releaseOfRollback(live.release, live.environment)
  assert.deepEqual([draft.build, draft.environment, draft.basedOn], ['BLIVE', { A: '1' }, 'RAAAAAAAAAA'])
  assert.deepEqual(draft.links, [main])
})

test('a change is described by sorted names, never by values', () => {
  assert.equal(describeChange({ B: 'x', A: 'x' }, { A: 'secret', C: 'x' }), 'env change:A remove:B add:C')
  assert.equal(describeChange({ A: 'x' }, { A: 'x' }), 'env unchanged')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan } from '../../test/support/plans.ts'
import type { CopyFailure } from '../domain/deployment.ts'
import type { RackError } from '../domain/error.ts'
import { deployFailed, withAdvice, type FailedChange } from './failure.ts'

const plan = { ...planOf([processPlan({ type: 'web', memoryBytes: 64 * 2 ** 20 })]), release: 'RNEW' }
const about = { process: 'P1', type: 'web', exitCode: 137, lastLines: [], probe: null }

function hintOf(failure: Partial<CopyFailure>, change: Partial<FailedChange> = {}): string {
  const error = deployFailed([{ ...about, reason: 'exited', ...failure }])
  return (withAdvice(error, { plan, live: null, ...change }, null) as RackError).hint ?? ''
}

test('a first release that fails is tried by hand by its name, and nothing is said to run', () => {
  const hint = hintOf({ reason: 'exited' })
  assert.match(hint, /rack run --release RNEW web -- sh/)
  assert.doesNotMatch(hint, /ran before/)
})

test('nobody listens: a slow start comes first, with the grace that there is; then where it listens', () => {
  const probe = 'connection refused on 3000'
  assert.match(
    hintOf({ reason: 'not-healthy', probe }),
    /longer than 30 s needs a longer grace: the label rack\.health\.grace.* Else .*127\.0\.0\.1 alone/,
  )
  const slow = processPlan({ type: 'web' })
  const patient = planOf([{ ...slow, health: { ...slow.health, graceMs: 90_000 } }])
  assert.match(hintOf({ reason: 'not-healthy', probe }, { plan: patient }), /longer than 90 s/)
})

test('a check whose program the image does not have says so', () => {
  for (const probe of [
    'the health check exited with 127: sh: curl: not found',
    'the health check exited with 126: OCI runtime exec failed',
    'the health check exited with 1: sh: curl: not found',
  ])
    assert.match(
      hintOf({ reason: 'not-healthy', probe }),
      /image of web does not have what its check runs.*disable: true/,
    )
  assert.doesNotMatch(
    hintOf({ reason: 'not-healthy', probe: 'the health check exited with 1: no' }),
    /does not have/,
  )
})

test('want of memory: the file says how much until the type has run, a scale from then on', () => {
  assert.match(hintOf({ reason: 'out-of-memory' }), /64 MiB.*mem_limit of web/)
  assert.match(
    hintOf({ reason: 'out-of-memory' }, { live: plan }),
    /still runs.*rack scale web --memory SIZE/,
  )
  const other = planOf([processPlan({ type: 'worker' })])
  assert.match(hintOf({ reason: 'out-of-memory' }, { live: other }), /still runs.*mem_limit of web/)
})

test('what is healed speaks of the type alone, and what is known already stays', () => {
  assert.doesNotMatch(hintOf({}, { live: plan, only: ['web'] }), /ran before/)
  const error = deployFailed([{ ...about, reason: 'not-started' }], 'mkdir -p /data')
  assert.equal(
    (withAdvice(error, { plan, live: plan }, null) as RackError).hint,
    'What ran before still runs. mkdir -p /data',
  )
  assert.equal(
    (withAdvice(error, { plan, live: plan }, 'web was away for 9 s') as RackError).hint,
    'What ran before runs again; web was away for 9 s. mkdir -p /data',
  )
})

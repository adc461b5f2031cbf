import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan } from '../../../../test/support/plans.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { identityOf, isSettled, layersOf, phraseDeploy, wavesOf } from './phrase.ts'

let count = 0

/** A copy of the type that has proved itself. */
function copyOf(plan: ProcessPlan, overrides: Partial<FoundCopy> = {}): FoundCopy {
  count++
  return {
    rack: 'rack',
    app: 'shop',
    type: plan.type,
    release: 'RAAAAAAAAAA',
    process: `P${String(count).padStart(10, 'A')}`,
    kind: 'process',
    identity: identityOf(plan),
    cpuUnits: 128,
    memoryBytes: 1,
    command: [],
    drainMs: 1000,
    restart: plan.restart,
    timeoutMs: null,
    container: `c${count}`,
    createdMs: count,
    state: 'running',
    pid: 1,
    exitCode: 0,
    isOutOfMemory: false,
    restarts: 0,
    startedAt: '2026-01-01T00:00:00Z',
    health: null,
    restartPolicy: plan.restart,
    address: `10.0.0.${count}`,
    aliases: [...plan.aliases, 'c1'],
    isTty: false,
    arguments: [],
    ...overrides,
  }
}

const web = processPlan({ type: 'web', count: 2 })

/** One line per type: what stays, is proved, starts and goes. */
function phrased(processes: ProcessPlan[], found: FoundCopy[], replacing: string[] = []): string[] {
  const { layers, orphans, debris } = phraseDeploy(planOf(processes), found, new Set(replacing))
  const types = layers.flat().map(({ plan, keep, prove, waves, retire }) => {
    const starts =
      waves.map(({ park, start }) => (park ? `${park}/${start}` : String(start))).join('+') || '0'
    return `${plan.type} keep ${keep.length} prove ${prove.length} start ${starts} retire ${retire.length}`
  })
  return [
    ...types,
    ...(orphans.length ? [`orphans ${orphans.length}`] : []),
    ...(debris.length ? [`debris ${debris.length}`] : []),
  ]
}

test('nothing is there: all start', () => {
  assert.deepEqual(phrased([web], []), ['web keep 0 prove 0 start 2 retire 0'])
})

test('what is as planned stays, and then nothing is to be done', () => {
  const found = [copyOf(web), copyOf(web)]
  assert.deepEqual(phrased([web], found), ['web keep 2 prove 0 start 0 retire 0'])
  assert.ok(isSettled(phraseDeploy(planOf([web]), found)))
})

test('a changed type is replaced, one-offs are left alone, unknown types go', () => {
  const found = [
    copyOf(web),
    copyOf(web),
    copyOf(web, { kind: 'one-off' }),
    copyOf(processPlan({ type: 'gone' })),
  ]
  const changed = { ...web, command: ['other'] }
  assert.deepEqual(phrased([changed], found), ['web keep 0 prove 0 start 2 retire 2', 'orphans 1'])
})

test('scaling keeps as many as are wanted', () => {
  const found = [copyOf(web), copyOf(web)]
  assert.deepEqual(phrased([{ ...web, count: 3 }], found), ['web keep 2 prove 0 start 1 retire 0'])
  assert.deepEqual(phrased([{ ...web, count: 1 }], found), ['web keep 1 prove 0 start 0 retire 1'])
  assert.deepEqual(phrased([{ ...web, count: 0 }], found), ['web keep 0 prove 0 start 0 retire 2'])
})

test('a restart replaces what is older, and a stopped copy is replaced alone', () => {
  const [first, second] = [copyOf(web, { createdMs: 1000 }), copyOf(web, { createdMs: 3000 })]
  const restarted = { ...web, replaceBefore: new Date(2000).toISOString() }
  assert.deepEqual(phrased([restarted], [first, second]), ['web keep 1 prove 0 start 1 retire 1'])
  assert.deepEqual(phrased([web], [first, second], [first.process]), ['web keep 1 prove 0 start 1 retire 1'])
})

test('a crash in the middle: half-started copies are proved, failed ones are debris', () => {
  const gated = copyOf(web, { restartPolicy: 'no' })
  const unnamed = copyOf(web, { aliases: ['c2'] })
  assert.deepEqual(phrased([web], [gated, unnamed]), ['web keep 0 prove 2 start 0 retire 0'])
  const created = copyOf(web, { state: 'created', startedAt: '0001-01-01T00:00:00Z' })
  const failed = copyOf(web, { state: 'exited', exitCode: 3, restartPolicy: 'no' })
  assert.deepEqual(phrased([web], [created, failed]), ['web keep 0 prove 0 start 2 retire 0', 'debris 2'])
})

test('proved copies are preferred to those that are not', () => {
  const [gated, proved] = [copyOf(web, { restartPolicy: 'no' }), copyOf(web)]
  assert.deepEqual(phrased([{ ...web, count: 1 }], [gated, proved]), ['web keep 1 prove 0 start 0 retire 1'])
})

test('Docker went away: what it did not start again is revived', () => {
  const down = copyOf(web, { state: 'exited', exitCode: 137 })
  assert.deepEqual(phrased([web], [down, copyOf(web)]), ['web keep 1 prove 1 start 0 retire 0'])
})

test('a completed process is not run again; a crash loop is no reason to replace', () => {
  const job = processPlan({ type: 'job', restart: 'no' })
  const done = copyOf(job, { state: 'exited', exitCode: 0 })
  assert.deepEqual(phrased([job], [done]), ['job keep 1 prove 0 start 0 retire 0'])
  const looping = copyOf(web, { state: 'restarting', exitCode: 1 })
  assert.deepEqual(phrased([{ ...web, count: 1 }], [looping]), ['web keep 1 prove 0 start 0 retire 0'])
})

test('waves: no more beside the old than the surge, and stop-first where two may not overlap', () => {
  const type = (overrides: Partial<ProcessPlan>) => processPlan({ count: 4, ...overrides })
  assert.deepEqual(wavesOf(type({}), 4, 4), [{ park: 0, start: 4 }])
  assert.deepEqual(wavesOf(type({}), 0, 4), [])
  assert.deepEqual(wavesOf(type({ maximumPercent: 150 }), 4, 4), [
    { park: 0, start: 2 },
    { park: 2, start: 2 },
  ])
  assert.deepEqual(wavesOf(type({ maximumPercent: 150 }), 4, 0), [{ park: 0, start: 4 }])
  assert.deepEqual(wavesOf(type({ minimumPercent: 50, maximumPercent: 100 }), 4, 4), [
    { park: 2, start: 2 },
    { park: 2, start: 2 },
  ])
  assert.deepEqual(wavesOf(type({ minimumPercent: 0, maximumPercent: 100 }), 4, 4), [{ park: 4, start: 4 }])
  assert.deepEqual(wavesOf(type({ count: 1, minimumPercent: 50, maximumPercent: 100 }), 1, 1), [
    { park: 1, start: 1 },
  ])
  assert.deepEqual(wavesOf(type({ stopFirst: true }), 4, 2), [{ park: 2, start: 4 }])
})

test('layers: what is waited for comes first; a circle is broken', () => {
  const type = (name: string, ...after: string[]) => ({
    type: name,
    after: after.map((target) => ({ type: target, condition: 'healthy' as const })),
  })
  assert.deepEqual(layersOf([type('web', 'db', 'cache'), type('cache', 'db'), type('db')]), [[2], [1], [0]])
  const circle = layersOf([type('a', 'b'), type('b', 'a')])
  assert.deepEqual(
    circle.flat().toSorted((a, b) => a - b),
    [0, 1],
  )
  assert.deepEqual(layersOf([type('web', 'missing')]), [[0]])
})

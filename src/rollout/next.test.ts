import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observedCopy, runModel } from '../../test/support/model-rollout.ts'
import { planOf, processPlan, servesHttp } from '../../test/support/plans.ts'
import type { Plan, ProcessPlan } from '../domain/plan.ts'
import { next as nextSteps } from './next.ts'
import type { ObservedCopy } from './runtime.ts'
import { after, beginState } from './state.ts'
import { targetOf, type TargetOptions } from './target.ts'

const web = (overrides: Partial<ProcessPlan> = {}) =>
  processPlan({ type: 'web', count: 2, ...servesHttp(3000, ['shop.localhost']), ...overrides })
const changed = { command: ['other'] }

/** What a rollout does, line by line; the copies that are up take the router's requests before. */
function rolled(plan: Plan, copies: ObservedCopy[] = [], options: TargetOptions = {}): string[] {
  const routed = copies.filter(({ state, mark }) => state === 'running' && mark === 'proved')
  return runModel(plan, { copies, routed: routed.map((copy) => copy.process) }, options).lines
}

test('a first deploy: all start, are proved and named, then get requests', () => {
  assert.deepEqual(rolled(planOf([web()])), [
    'start web 2',
    'prove web 2',
    'name web 2',
    'settle 2',
    'route 2',
  ])
})

test('what is as it should be is left alone; the router is told its table once more', () => {
  const plan = planOf([web()])
  assert.deepEqual(rolled(plan, [observedCopy(plan, 'web'), observedCopy(plan, 'web')]), ['route 2'])
})

test('a change: new ones beside the old, both routed, then the new alone, then the old leave', () => {
  const before = planOf([web()])
  const copies = [observedCopy(before, 'web'), observedCopy(before, 'web')]
  const lines = ['start web 2', 'prove web 2', 'settle 2', 'route 4', 'route 2', 'retire 2']
  assert.deepEqual(rolled(planOf([web(changed)]), copies), lines)
})

test('waves: no more beside the old than the surge; without one as many stop first as may be missing', () => {
  const roll = (overrides: Partial<ProcessPlan>) => {
    const before = planOf([web({ count: 4, ...overrides })])
    const copies = Array.from({ length: 4 }, () => observedCopy(before, 'web'))
    return rolled(planOf([web({ count: 4, ...overrides, ...changed })]), copies)
  }
  const wave = (...lines: string[]) => lines
  assert.deepEqual(roll({ maximumPercent: 150 }), [
    ...wave('start web 2', 'prove web 2', 'settle 2', 'route 6'),
    ...wave('park web 2', 'start web 2', 'prove web 2', 'settle 2', 'route 6', 'route 4', 'retire 4'),
  ])
  assert.deepEqual(roll({ minimumPercent: 50, maximumPercent: 100 }), [
    ...wave('park web 2', 'start web 2', 'prove web 2', 'settle 2', 'route 4'),
    ...wave('park web 2', 'start web 2', 'prove web 2', 'settle 2', 'route 4', 'retire 4'),
  ])
  assert.deepEqual(roll({ minimumPercent: 0, maximumPercent: 100 }), [
    ...wave(
      'prepare web 4',
      'park web 4',
      'start web 4',
      'prove web 4',
      'name web 4',
      'settle 4',
      'route 4',
      'retire 4',
    ),
  ])
})

test('waves: no more beside the old than was admitted, one at least, or none where one stops first', () => {
  const roll = (beside: number, overrides: Partial<ProcessPlan> = {}) => {
    const before = planOf([web({ count: 3, ...overrides })])
    const copies = Array.from({ length: 3 }, () => observedCopy(before, 'web'))
    const surges = { web: { held: 3, beside } }
    return rolled(planOf([web({ count: 3, ...overrides, ...changed })]), copies, { surges })
  }
  const proved = ['start web 1', 'prove web 1', 'settle 1', 'route 4']
  const next = ['park web 1', ...proved]
  assert.deepEqual(roll(1), [...proved, ...next, ...next, 'route 3', 'retire 3'])
  const small = ['park web 1', 'start web 1', 'prove web 1', 'settle 1', 'route 3']
  assert.deepEqual(roll(0, { minimumPercent: 50 }), [...small, ...small, ...small, 'retire 3'])
})

test('stop-first: the old one is parked, and copies that still drain with the volume are waited for', () => {
  const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const
  const db = (overrides: Partial<ProcessPlan> = {}) =>
    processPlan({ type: 'db', stopFirst: true, mounts: [mount], ...overrides })
  const before = planOf([db()])
  const old = observedCopy(before, 'db', { volumes: ['data'] })
  const leaving = observedCopy(before, 'db', { volumes: ['data'], mark: 'draining' })
  assert.deepEqual(rolled(planOf([db(changed)]), [old, leaving]), [
    'vacate db 1',
    'prepare db 1',
    'park db 1',
    'start db 1',
    'prove db 1',
    'settle 1',
    'route 1',
    'retire 1',
  ])
})

test('stop-first: nobody leaves a gap before all others are through, but for those that wait for it', () => {
  const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const
  const types = (overrides: Partial<ProcessPlan> = {}) => [
    processPlan({ type: 'api', after: [{ type: 'db', condition: 'healthy' }], ...overrides }),
    processPlan({ type: 'db', stopFirst: true, mounts: [mount], ...overrides }),
    processPlan({ type: 'files', stopFirst: true, mounts: [mount], ...overrides }),
    web({ count: 1, ...overrides }),
  ]
  const before = planOf(types())
  const copies = ['api', 'db', 'files', 'web'].map((type) => observedCopy(before, type, { volumes: [] }))
  assert.deepEqual(rolled(planOf(types(changed)), copies).slice(0, 6), [
    'start web 1',
    'prove web 1',
    'prepare db 1, prepare files 1',
    'park db 1, park files 1',
    'start db 1, start files 1',
    'prove db 1, prove files 1',
  ])
  const undone = rolled(
    before,
    copies.map((copy) => ({ ...copy, mark: 'parked', state: 'ended' })),
    { isUndo: true },
  )
  assert.equal(undone[0], 'revive db 1, revive files 1, revive web 1')
})

test('stop-first: several copies that share the volume already go wave by wave', () => {
  const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const
  const roll = (count: number, running: number, beside: number) => {
    const type = (overrides: Partial<ProcessPlan> = {}) =>
      web({ stopFirst: true, mounts: [mount], minimumPercent: 50, count: running, ...overrides })
    const before = planOf([type()])
    const copies = Array.from({ length: running }, () => observedCopy(before, 'web', { volumes: ['data'] }))
    const surges = { web: { held: running, beside } }
    return rolled(planOf([type({ count, ...changed })]), copies, { surges })
  }
  const proved = ['start web 2', 'prove web 2', 'settle 2']
  assert.deepEqual(roll(2, 2, 2), [...proved, 'route 4', 'route 2', 'retire 2'])
  const one = ['park web 1', 'start web 1', 'prove web 1', 'settle 1']
  assert.deepEqual(roll(2, 2, 0), [...one, 'route 2', ...one, 'route 2', 'retire 2'])
  const all = ['prepare web 2', 'park web 1', 'start web 2', 'prove web 2', 'name web 2', 'settle 2']
  assert.deepEqual(roll(2, 1, 0), [...all, 'route 2', 'retire 1'])
})

test('dependencies: what is waited for is ready, and reached by name, before others start', () => {
  const db = processPlan({ type: 'db', internalPorts: [5432], ports: [] })
  const plan = planOf([web({ after: [{ type: 'db', condition: 'healthy' }] }), db])
  assert.deepEqual(rolled(plan).slice(0, 4), ['start db 1', 'prove db 1', 'start web 2', 'prove web 2'])
  const started = planOf([web({ after: [{ type: 'db', condition: 'started' }] }), db])
  assert.deepEqual(rolled(started).slice(0, 3), ['start db 1', 'start web 2, prove db 1', 'prove web 2'])
  const circle = planOf([
    processPlan({ type: 'a', after: [{ type: 'b', condition: 'healthy' }] }),
    processPlan({ type: 'b', after: [{ type: 'a', condition: 'healthy' }] }),
  ])
  assert.deepEqual(rolled(circle).length > 0, true)
})

test('a release command runs after what its type waits for, and before any copy of its own type', () => {
  const db = processPlan({ type: 'db' })
  const plan = planOf([
    web({ releaseCommand: ['migrate'], after: [{ type: 'db', condition: 'healthy' }] }),
    db,
  ])
  assert.deepEqual(rolled(plan, [], { commands: ['web'] }).slice(0, 4), [
    'start db 1',
    'prove db 1',
    'command web',
    'start web 2',
  ])
  assert.ok(
    rolled(plan).every((line) => !line.includes('command')),
    'only where it is due',
  )
})

test('what a release command prepares is there for every type: none starts before it but those it stands on', () => {
  const types = [
    web({ releaseCommand: ['migrate'], after: [{ type: 'db', condition: 'healthy' }] }),
    processPlan({ type: 'worker', after: [{ type: 'db', condition: 'started' }] }),
    processPlan({ type: 'db', after: [{ type: 'disk', condition: 'started' }] }),
    processPlan({ type: 'disk' }),
  ]
  const before = ['start disk 1', 'start db 1, prove disk 1', 'prove db 1']
  const after = 'start web 2, start worker 1'
  assert.deepEqual(rolled(planOf(types), [], { commands: ['web'] }).slice(0, 5), [
    ...before,
    'command web',
    after,
  ])
  const two = rolled(planOf(types), [], { commands: ['web', 'worker'] }).filter(
    (line) => !line.startsWith('prove'),
  )
  assert.ok(two.indexOf(after) > two.findIndex((line) => line.includes('command worker')), two.join('\n'))
})

test('one type alone: what is gone of it comes back, and nothing of another is touched', () => {
  const job = processPlan({ type: 'job', after: [{ type: 'web', condition: 'healthy' }] })
  const plan = planOf([web(), job])
  const stopped = observedCopy(plan, 'job', { state: 'ended', exitCode: 1 })
  const lines = ['start web 1', 'prove web 1', 'settle 1', 'route 2']
  assert.deepEqual(rolled(plan, [observedCopy(plan, 'web'), stopped], { only: ['web'] }), lines)
  const other = rolled(plan, [observedCopy(plan, 'web'), stopped], { only: ['job'] })
  assert.deepEqual(other, ['revive job 1', 'route 2'])
})

test('new copies are watched beside those that they replace, and in a new release; nothing else is', () => {
  const watched = { watchMs: 3000 }
  const before = planOf([web(watched)])
  const copies = () => [observedCopy(before, 'web'), observedCopy(before, 'web')]
  const change = planOf([web({ ...watched, ...changed })])
  const lines = ['start web 2', 'prove web 2', 'settle 2', 'route 4', 'watch 2', 'route 2', 'retire 2']
  assert.deepEqual(rolled(change, copies()), lines)
  const isWatched = (plan: Plan, found: ObservedCopy[], options: TargetOptions) =>
    rolled(plan, found, options).includes('watch 2')
  assert.ok(isWatched(change, [], { isNewRelease: true }))
  assert.ok(!isWatched(change, [], {}), 'what is brought back has nobody to protect')
  assert.ok(!isWatched(change, copies(), { isUndo: true }))
})

test('a copy that leaves is replaced although it is as it should be', () => {
  const plan = planOf([web()])
  const copies = [observedCopy(plan, 'web'), observedCopy(plan, 'web')]
  const lines = rolled(plan, copies, { leaving: [copies[0]!.process] })
  assert.deepEqual(lines, ['start web 1', 'prove web 1', 'settle 1', 'route 3', 'route 2', 'retire 1'])
})

test('what a crash has left: half started is proved, failed is removed, parked comes back', () => {
  const plan = planOf([web({ count: 1 })])
  const half = observedCopy(plan, 'web', { mark: 'unproved', names: [] })
  assert.deepEqual(
    rolled(plan, [half]),
    ['name web 1'].slice(1).concat('prove web 1', 'name web 1', 'settle 1', 'route 1'),
  )
  const failed = observedCopy(plan, 'web', { mark: 'unproved', state: 'ended', exitCode: 1 })
  assert.deepEqual(rolled(plan, [failed])[0], 'remove 1')
  const parked = observedCopy(plan, 'web', { mark: 'parked', state: 'ended', exitCode: 0, names: [] })
  assert.deepEqual(rolled(plan, [parked]).slice(0, 2), ['revive web 1', 'prove web 1'])
})

test('on-failure and no: only an end by itself is the end of such a type', () => {
  for (const restart of ['on-failure', 'no'] as const) {
    const plan = planOf([processPlan({ type: 'job', restart })])
    const ended = { state: 'ended', exitCode: 0 } as const
    const over = observedCopy(plan, 'job', { ...ended, endedByItself: true })
    assert.deepEqual(rolled(plan, [over]), ['settle 1', 'route 0'])
    assert.deepEqual(rolled(plan, [observedCopy(plan, 'job', { ...ended, mark: 'completed' })]), ['route 0'])
    const stopped = observedCopy(plan, 'job', ended)
    assert.deepEqual(rolled(plan, [stopped])[0], 'revive job 1', `${restart}: stopped by another`)
    const parked = observedCopy(plan, 'job', { ...ended, mark: 'parked', endedByItself: true })
    assert.deepEqual(rolled(plan, [parked])[0], 'revive job 1', `${restart}: parked by the rack`)
  }
})

test('going back starts nothing and judges nobody: what was parked runs again, what was new goes', () => {
  const [before, next] = [planOf([web()]), planOf([web(changed)], { release: 'RBBBBBBBBBB' })]
  const parked = observedCopy(before, 'web', { mark: 'parked', state: 'ended', exitCode: 0, names: [] })
  const serving = observedCopy(before, 'web')
  const fresh = observedCopy(next, 'web', { mark: 'unproved' })
  const moved = observedCopy(next, 'web')
  const lines = rolled(before, [parked, serving, fresh, moved], {
    isUndo: true,
    leaving: [fresh.process, moved.process],
  })
  assert.deepEqual(lines, ['remove 1', 'revive web 1', 'prove web 1', 'settle 1', 'route 2', 'retire 1'])
})

test('a copy that has ended before it is first looked at is judged, and not started again and again', () => {
  const plan = planOf([web({ count: 1 })])
  const target = targetOf(plan, (text) => text)
  const ended: Partial<ObservedCopy> = { state: 'ended', exitCode: 1, names: [] }
  const fresh = observedCopy(plan, 'web', { ...ended, mark: 'unproved' })
  const begun = after(beginState({ copies: [], routed: [] }), { do: 'start', type: 'web', count: 1 }, [fresh])
  assert.deepEqual(nextSteps(begun, target), [{ do: 'prove', type: 'web', copies: [fresh] }])
  const parked = observedCopy(plan, 'web', { ...ended, mark: 'parked' })
  const found = beginState({ copies: [parked], routed: [] })
  const revived = after(found, { do: 'revive', type: 'web', copies: [parked] }, [parked])
  assert.deepEqual(nextSteps(revived, target), [{ do: 'prove', type: 'web', copies: [parked] }])
  // Going back judges nobody: the rest of it is not held up.
  const undo = targetOf(plan, (text) => text, { isUndo: true })
  assert.deepEqual(nextSteps(revived, undo), [{ do: 'route', processes: [] }])
})

test('going back keeps what ran where nothing fits what is live, and waits for no type that has no copy', () => {
  const [recorded, ran, next] = [
    planOf([web()]),
    planOf([web(changed)], { release: 'RBBBBBBBBBB' }),
    planOf([web({ command: ['third'] })], { release: 'RCCCCCCCCCC' }),
  ]
  const serving = [observedCopy(ran, 'web'), observedCopy(ran, 'web')]
  const fresh = observedCopy(next, 'web', { mark: 'unproved' })
  const undo = {
    isUndo: true,
    before: serving.map((copy) => copy.process),
    leaving: [fresh.process],
  }
  assert.deepEqual(rolled(recorded, [...serving, fresh], undo), ['remove 1', 'route 2'])
  const job = processPlan({ type: 'job', restart: 'no' })
  const waiting = planOf([web({ count: 1, after: [{ type: 'job', condition: 'completed' }] }), job])
  const parked = observedCopy(waiting, 'web', { mark: 'parked', state: 'ended', exitCode: 0, names: [] })
  assert.deepEqual(rolled(waiting, [parked], { isUndo: true })[0], 'revive web 1')
})

test('a release command that runs is left to the next daemon when this one stops', () => {
  const plan = planOf([web({ count: 0, releaseCommand: ['migrate'] })])
  const command = observedCopy(plan, 'web', { kind: 'release-command', mark: 'proved' })
  assert.deepEqual(rolled(plan, [command], { isUndo: true }), ['remove 1', 'route 0'])
  assert.deepEqual(rolled(plan, [command], { isUndo: true, keepsCommands: true }), ['route 0'])
})

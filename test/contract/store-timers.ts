import assert from 'node:assert/strict'
import type { AppProcess } from '../../src/domain/process.ts'
import type { NewTimerRun } from '../../src/domain/stores/work-stores.ts'
import type { Store } from '../../src/domain/store.ts'
import type { LiveTimer } from '../../src/domain/timer.ts'
import type { StoreOptions } from '../../src/store/open-store.ts'

type Scenario = (
  title: string,
  run: (world: { store: Store; open: (options?: Partial<StoreOptions>) => Promise<Store> }) => Promise<void>,
) => unknown

const since = '2026-05-01T12:00:00.000Z'
const nightly: LiveTimer = {
  app: 'shop',
  process: 'web',
  name: 'nightly',
  schedule: '0 3 * * *',
  timezone: 'UTC',
  overlap: 'skip',
  since,
}
const due: NewTimerRun = {
  actor: 'schedule',
  due: '2026-05-02T03:00:00.000Z',
  missed: 0,
  status: 'waiting',
  reason: null,
  seenTo: '2026-05-02T03:00:01.000Z',
  waitingGo: null,
}

async function makeLive(store: Store, ...timers: LiveTimer[]): Promise<void> {
  const { id } = await store.operations.begin('shop', 'scale', 'alice', {})
  await store.operations.complete(id, { timers })
}

async function openShop(store: Store, ...timers: LiveTimer[]): Promise<void> {
  await store.apps.create('shop')
  await makeLive(store, ...timers)
}

/** What every store does with timers and their runs. */
export function timerScenarios(scenario: Scenario): void {
  scenario(
    'timers change with what is live; one that is as it was goes on from where it is',
    async ({ store }) => {
      const weekly = { ...nightly, name: 'weekly', schedule: '0 4 * * 0' }
      await openShop(store, nightly, weekly)
      assert.deepEqual(await store.timers.list(), [nightly, weekly])
      const later = '2026-05-09T12:00:00.000Z'
      const queued = { ...nightly, overlap: 'queue' as const, since: later }
      await makeLive(store, queued, { ...weekly, timezone: 'Europe/Berlin', since: later })
      assert.deepEqual(
        (await store.timers.list()).map((timer) => [timer.name, timer.overlap, timer.since]),
        [
          ['nightly', 'queue', since],
          ['weekly', 'skip', later],
        ],
      )
      await makeLive(store)
      assert.deepEqual(await store.timers.list(), [])
    },
  )

  scenario('a time is seen to once, with its run, whoever else sees to it too', async ({ store }) => {
    await openShop(store, nightly)
    const [one, other] = await Promise.all([store.timers.fire(nightly, due), store.timers.fire(nightly, due)])
    assert.equal([one, other].filter((run) => run === null).length, 1)
    const [timer] = await store.timers.list()
    assert.equal(timer?.since, due.seenTo)
    assert.deepEqual(
      (await store.timers.open()).map((run) => [run.due, run.status, run.operation]),
      [[due.due, 'waiting', null]],
    )
    assert.equal(await store.timers.fire({ ...nightly, app: 'none' }, due), null)
  })

  scenario('a run begins once, with its row, and the end of its process ends both', async ({ store }) => {
    await openShop(store, nightly)
    const run = (await store.timers.fire(nightly, due))!
    const intent = { release: 'RAAAAAAAAAA', process: 'web', timer: 'nightly' }
    const operation = await store.timers.begin(run, intent)
    assert.deepEqual([operation?.kind, operation?.actor, operation?.intent], ['run', 'schedule', intent])
    assert.equal(await store.timers.begin(run, intent), null)
    const ends = { exitCode: 7, restarts: 0, outOfMemory: 0 }
    const process = { id: 'PAAAAAAAAAA', app: 'shop', type: 'web', kind: 'timer', ...ends } as AppProcess
    await store.endings.add(process, operation?.id)
    const [ended] = await store.timers.history('shop', {}, 9)
    assert.deepEqual(
      [ended?.status, ended?.exitCode, ended?.processId, ended?.release, ended?.operation],
      ['complete', 7, process.id, 'RAAAAAAAAAA', operation?.id],
    )
    assert.ok(ended?.started !== null && ended?.ended !== null)
    assert.equal((await store.operations.get(operation!.id))?.status, 'complete')
  })

  scenario('a row that fails takes its run along, unless that was put back to wait', async ({ store }) => {
    await openShop(store, nightly)
    const error = { code: 'cancelled', message: 'the daemon ended' }
    const statuses = async () => (await store.timers.history('shop', {}, 9)).map(({ status }) => status)
    const run = (await store.timers.fire(nightly, due))!
    const first = (await store.timers.begin(run, {}))!
    await store.timers.putBack(first.id)
    await store.operations.fail(first.id, 'failed', error)
    assert.deepEqual(await statuses(), ['waiting'])
    const second = (await store.timers.begin(run, {}))!
    await store.timers.note(run.id, { processId: 'PAAAAAAAAAA' })
    // It did start.
    await store.timers.putBack(second.id)
    await store.operations.fail(second.id, 'failed', error)
    const [failed] = await store.timers.history('shop', {}, 9)
    assert.deepEqual([failed?.status, failed?.reason], ['failed', 'the daemon ended'])
  })

  scenario(
    'runs that wait go with their timer, and give way to one that takes their place',
    async ({ store }) => {
      await openShop(store, nightly)
      await store.timers.fire(nightly, due)
      const [moved] = await store.timers.list()
      await store.timers.fire(moved!, { ...due, waitingGo: 'the next run takes its place' })
      await makeLive(store)
      assert.deepEqual(
        (await store.timers.history('shop', {}, 9)).map(({ status, reason }) => [status, reason]),
        [
          ['skipped', 'what is live has no such timer'],
          ['skipped', 'the next run takes its place'],
        ],
      )
    },
  )

  scenario('of each timer the newest hundred runs are kept, and all that are not over', async ({ store }) => {
    const other = { ...nightly, name: 'other' }
    await openShop(store, nightly, other)
    await store.timers.fire(other, due)
    await store.timers.fire(nightly, { ...due, seenTo: null })
    for (let runs = 0; runs < 105; runs++)
      await store.timers.fire(nightly, { ...due, status: 'skipped', seenTo: null })
    const own = await store.timers.history('shop', { process: 'web', timer: 'nightly' }, 1000)
    assert.deepEqual([own.length, own.at(-1)?.status], [101, 'waiting'])
    assert.equal((await store.timers.history('shop', { timer: 'other' }, 9)).length, 1)
  })

  scenario('the journal keeps runs apart: none of them pushes a change out', async ({ open }) => {
    const store = await open({ keptOperations: 3 })
    await store.apps.create('shop')
    const { id } = await store.operations.begin('shop', 'scale', 'alice', {})
    await store.operations.complete(id, {})
    for (let runs = 0; runs < 6; runs++) {
      const run = await store.operations.begin('shop', 'run', 'schedule', {})
      await store.operations.fail(run.id, 'failed', { code: 'internal', message: 'no' })
    }
    const kinds = (await store.operations.list('shop', 99)).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['run', 'run', 'run', 'scale'])
  })
}

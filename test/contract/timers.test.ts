import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { capacityOf, noResources } from '../../src/domain/rack.ts'
import type { TimerRun } from '../../src/domain/timer.ts'
import { dieAfter } from '../support/dying-parts.ts'
import { startTimedRack, type TimedRack } from '../support/timed-rack.ts'

const shop = (...labels: string[]) =>
  `services:\n  web:\n    image: shop\n    command: sleep\n    labels:\n${labels.map((label) => `      - ${label}\n`).join('')}`
const nightly = 'rack.cron.nightly=0 3 * * * print ran exit 7'
const minutely = (command: string) => `rack.cron.tick=* * * * * ${command}`

const told = ({ due, status, missed, reason, exitCode }: TimerRun) =>
  [due.slice(5, 16), status, missed, reason ?? exitCode] as const

const linesOf = async ({ rack }: TimedRack) => {
  const lines = rack.engine.logs({ owner: appOwner('shop'), follow: false }, rack.control)
  return (await Array.fromAsync(lines)).map(({ text }) => text)
}

test('a timer of what is live runs when it is time, as a process of its own that the journal has', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(nightly))
  const { rack } = timed
  await timed.at('2026-05-02T02:59:59Z')
  assert.deepEqual(await timed.runs(), [])
  await timed.at('2026-05-02T03:00:00Z')
  await timed.at('2026-05-02T03:00:01Z')
  await timed.settle()
  const [run, ...more] = await timed.runs()
  assert.deepEqual([run && told(run), more], [['05-02T03:00', 'complete', 0, 7], []])
  const { release } = await timed.operations.getApp('shop', rack.control)
  assert.deepEqual([run?.release, run?.actor], [release, 'schedule'])
  const row = await rack.store.operations.get(run?.operation ?? '')
  assert.deepEqual(
    [row?.kind, row?.actor, row?.status, row?.intent],
    ['run', 'schedule', 'complete', { release, process: 'web', timer: 'nightly', exitCode: 7 }],
  )
  const ended = await timed.operations.getProcess('shop', run?.processId ?? '', rack.control)
  assert.deepEqual([ended.kind, ended.type, ended.exitCode], ['timer', 'web', 7])
  assert.deepEqual(await linesOf(timed), ['ran'])
})

test('the sequence of events tells of each run: that it begins, and how it ends', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(nightly))
  const from = await timed.rack.store.events.newest()
  await timed.at('2026-05-04T12:00:00Z')
  await timed.settle()
  const events = (await timed.rack.store.events.after(from, 100)).filter(({ noun }) => noun === 'timer')
  const [run] = await timed.runs()
  const about = {
    run: String(run?.id),
    due: '2026-05-04T03:00:00.000Z',
    missed: '3',
    operation: run?.operation,
  }
  assert.deepEqual(
    events.map(({ id, facts }) => [id, facts]),
    [
      ['web.nightly', { ...about, status: 'running' }],
      ['web.nightly', { ...about, status: 'complete', exitCode: '7' }],
    ],
  )
})

test('times that passed while the rack was away are one run, and it says how many they were', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(nightly))
  timed.setClock('2026-05-04T12:00:00Z')
  await timed.restart()
  await timed.at('2026-05-04T12:00:00Z')
  await timed.settle()
  await timed.at('2026-05-05T03:00:02Z')
  await timed.settle()
  assert.deepEqual((await timed.runs()).map(told), [
    ['05-05T03:00', 'complete', 0, 7],
    ['05-04T03:00', 'complete', 3, 7],
  ])
})

test('a run that is due while the one before goes on is skipped, and that is kept', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(minutely('pause 60000')))
  await timed.at('2026-05-01T12:01:00Z')
  await timed.at('2026-05-01T12:02:00Z')
  const [second, first] = await timed.runs()
  assert.deepEqual(second && told(second), [
    '05-01T12:02',
    'skipped',
    0,
    'the run of 2026-05-01T12:01:00.000Z has not ended',
  ])
  assert.equal(first?.status, 'running')
  await timed.operations.stopProcess('shop', first?.processId ?? '', timed.rack.control)
  await timed.settle()
  await timed.at('2026-05-01T12:03:00Z')
  assert.equal((await timed.runs())[0]?.status, 'running')
})

test('with `queue` runs wait for those before them, in their order', async () => {
  const labels = [minutely('pause 1500 print ran'), 'rack.cron.tick.overlap=queue']
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(...labels))
  for (const minute of ['01', '02', '03']) await timed.at(`2026-05-01T12:${minute}:00Z`)
  assert.deepEqual(
    (await timed.runs()).map(({ status }) => status),
    ['waiting', 'waiting', 'running'],
  )
  for (let rounds = 0; rounds < 2; rounds++) {
    await timed.settle()
    await timed.at('2026-05-01T12:03:01Z')
  }
  await timed.settle()
  const runs = await timed.runs()
  assert.deepEqual(runs.map(told), [
    ['05-01T12:03', 'complete', 0, 0],
    ['05-01T12:02', 'complete', 0, 0],
    ['05-01T12:01', 'complete', 0, 0],
  ])
  assert.deepEqual(await linesOf(timed), ['ran', 'ran', 'ran'])
})

test('with `replace` the run before is ended, and the next one takes its place', async () => {
  const labels = [minutely('pause 60000'), 'rack.cron.tick.overlap=replace']
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(...labels))
  await timed.at('2026-05-01T12:01:00Z')
  await timed.at('2026-05-01T12:02:00Z')
  await timed.settle()
  await timed.at('2026-05-01T12:02:01Z')
  const [second, first] = await timed.runs()
  assert.deepEqual([second?.status, first?.status, first?.exitCode], ['running', 'complete', 143])
  assert.equal(first?.reason, 'ended for the run of 2026-05-01T12:02:00.000Z')
})

test('a run that finds no room has failed, says why, and the next one is tried', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(minutely('exit 0')))
  const { engine, control } = timed.rack
  const capacity = engine.capacity.bind(engine)
  engine.capacity = async (given) => capacityOf(noResources, (await capacity(given)).holders)
  await timed.at('2026-05-01T12:01:00Z')
  engine.capacity = capacity
  const [run] = await timed.runs()
  assert.deepEqual([run?.status, run?.operation], ['failed', null])
  assert.match(run?.reason ?? '', /a one-off of shop\/web does not fit this rack/)
  await timed.at('2026-05-01T12:02:00Z')
  await timed.settle()
  assert.deepEqual(
    (await timed.runs()).map(({ status }) => status),
    ['complete', 'failed'],
  )
  assert.deepEqual(await timed.rack.store.operations.running(), [])
  assert.equal((await engine.processes({ owner: appOwner('shop') }, control)).length, 1)
})

test('a change whose timers would find no room says so before it moves anything', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(nightly))
  const large = `${shop(nightly)}    deploy: { resources: { reservations: { cpus: "2.5" } } }\n`
  const { control, progress } = timed.rack
  await timed.operations.createApp('large')
  const release = await timed.rack.build('large', large)
  const { timers } = await timed.operations.planPromotion('large', release, control)
  const next = '2026-05-02T03:00:00.000Z'
  const about = { process: 'web', name: 'nightly', schedule: '0 3 * * *', timezone: 'UTC', next }
  assert.deepEqual(timers, [{ ...about, fits: false }])
  const moved = timed.operations.promoteRelease('large', release, { releaseCommand: true }, control)
  assert.deepEqual((await moved).timers, [about])
  const words = progress.flatMap((said) => (said.type === 'log' ? said.text : []))
  assert.ok(
    words.some((text) => /nightly would find no room for a run now/.test(text)),
    words.join('\n'),
  )
})

test('where the engine is away a run waits, and is made when it is back', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(minutely('exit 0')))
  timed.rack.engine.isReachable = false
  await timed.at('2026-05-01T12:01:00Z')
  assert.deepEqual(
    (await timed.runs()).map(({ status }) => status),
    ['waiting'],
  )
  timed.rack.engine.isReachable = true
  await timed.at('2026-05-01T12:01:05Z')
  await timed.settle()
  assert.deepEqual(
    (await timed.runs()).map(({ status }) => status),
    ['complete'],
  )
})

test('timers follow what is live: a promote has its own, a rollback those from before', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(nightly))
  const names = async () => (await timed.operations.listTimers('shop')).map(({ name }) => name)
  timed.setClock('2026-05-02T02:30:00Z')
  await timed.deploy(shop('rack.cron.weekly=0 4 * * * print other'))
  assert.deepEqual(await names(), ['weekly'])
  await timed.at('2026-05-02T03:00:00Z')
  assert.deepEqual(await timed.runs(), [])
  timed.setClock('2026-05-03T02:30:00Z')
  await timed.operations.rollbackRelease('shop', null, { releaseCommand: true }, timed.rack.control)
  assert.deepEqual(await names(), ['nightly'])
  // What passed while it was not live was not missed.
  await timed.at('2026-05-03T03:00:00Z')
  await timed.settle()
  assert.deepEqual((await timed.runs()).map(told), [['05-03T03:00', 'complete', 0, 7]])
})

test('a timer that stays as it is misses no time over a deploy; one with other times begins anew', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(nightly))
  timed.setClock('2026-05-03T12:00:00Z')
  await timed.deploy(shop(nightly, 'rack.cron.early=0 2 * * * exit 0'))
  await timed.at('2026-05-03T12:00:01Z')
  await timed.settle()
  assert.deepEqual(
    (await timed.runs()).map(({ timer, missed }) => [timer, missed]),
    [['nightly', 2]],
  )
  timed.setClock('2026-05-05T12:00:00Z')
  await timed.deploy(shop('rack.cron.nightly=30 3 * * * exit 0'))
  await timed.at('2026-05-05T12:00:01Z')
  assert.equal((await timed.runs()).length, 1)
})

test('a run goes on with its own release over a deploy', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(minutely('show RELEASE pause 20000')))
  const { release: before } = await timed.operations.getApp('shop', timed.rack.control)
  await timed.at('2026-05-01T12:01:00Z')
  await timed.deploy(shop(minutely('show RELEASE'), 'rack.cron.other=0 0 * * * x'))
  const [run] = await timed.runs()
  assert.deepEqual([run?.status, run?.release], ['running', before])
  const found = await timed.operations.listProcesses('shop', {}, timed.rack.control)
  assert.equal(found.find(({ kind }) => kind === 'timer')?.release, before)
})

test('no more than five runs of an app go on at once; the others wait for their turn', async () => {
  const labels = Array.from({ length: 7 }, (_, at) => `rack.cron.t${at}=* * * * * pause 1500`)
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(...labels))
  await timed.at('2026-05-01T12:01:00Z')
  const statuses = async () => Object.groupBy(await timed.runs(), ({ status }) => status)
  const { running, waiting } = await statuses()
  assert.deepEqual([running?.length, waiting?.length], [5, 2])
  await timed.settle()
  await timed.at('2026-05-01T12:01:01Z')
  await timed.settle()
  assert.equal((await statuses()).complete?.length, 7)
})

test('a clock that is set back a little runs nothing twice; further back, times count from there', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(minutely('exit 0')))
  await timed.at('2026-05-01T12:01:00Z')
  await timed.settle()
  await timed.at('2026-05-01T12:00:59Z')
  await timed.at('2026-05-01T12:01:30Z')
  assert.equal((await timed.runs()).length, 1)
  // A year ahead by mistake, and back.
  await timed.at('2027-05-01T12:00:00Z')
  await timed.settle()
  await timed.at('2026-05-01T12:02:10Z')
  await timed.at('2026-05-01T12:03:00Z')
  await timed.settle()
  assert.deepEqual((await timed.runs()).map(told), [
    ['05-01T12:03', 'complete', 0, 0],
    ['05-01T12:00', 'complete', 999, 0],
    ['05-01T12:01', 'complete', 0, 0],
  ])
})

test('a timer runs at once when somebody asks, under its own rule', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(minutely('pause 20000')))
  const { control } = timed.rack
  const run = await timed.operations.runTimer('shop', 'tick', control)
  assert.deepEqual([run.status, run.actor, run.due], ['running', 'test', '2026-05-01T12:00:00.000Z'])
  await assert.rejects(timed.operations.runTimer('shop', 'web.tick', control), {
    code: 'conflict',
    message: /tick of shop is not run now: the run of .* has not ended/,
  })
  await assert.rejects(timed.operations.runTimer('shop', 'none', control), { code: 'not-found' })
  assert.equal((await timed.operations.getTimer('shop', 'tick')).last?.id, run.id)
})

test('of two processes with a timer of one name, the one that is meant must be said', async () => {
  const both = `${shop(nightly)}  worker: { image: shop, command: sleep, labels: ["${nightly}"] }\n`
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', both)
  const ambiguous = (error: unknown) =>
    error instanceof RackError &&
    error.code === 'conflict' &&
    error.hint === 'Name one: web.nightly, worker.nightly'
  await assert.rejects(timed.operations.getTimer('shop', 'nightly'), ambiguous)
  assert.equal((await timed.operations.getTimer('shop', 'worker.nightly')).process, 'worker')
  await timed.at('2026-05-02T03:00:00Z')
  await timed.settle()
  const own = await timed.operations.timerHistory('shop', { timer: 'worker.nightly', limit: 9 })
  assert.deepEqual(
    own.map(({ process }) => process),
    ['worker'],
  )
})

test('the timers of a deleted app run no more, and leave nothing', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:30Z', shop(minutely('pause 20000')))
  await timed.at('2026-05-01T12:01:00Z')
  await timed.operations.deleteApp('shop', { volumes: true }, timed.rack.control)
  await timed.at('2026-05-01T12:02:00Z')
  const { store, engine, control } = timed.rack
  assert.deepEqual([await store.timers.list(), await store.timers.open()], [[], []])
  assert.deepEqual(await engine.processes({ owner: appOwner('shop') }, control), [])
})

test('a timer of a process with no copies runs all the same', async () => {
  await using timed = await startTimedRack('2026-05-01T12:00:00Z', shop(nightly))
  await timed.operations.scaleProcesses('shop', { web: { count: 0 } }, timed.rack.control)
  await timed.at('2026-05-02T03:00:00Z')
  await timed.settle()
  assert.deepEqual((await timed.runs()).map(told), [['05-02T03:00', 'complete', 0, 7]])
})

test(
  'a daemon that is killed at any step of a run loses none and makes none twice',
  { timeout: 60_000 },
  async () => {
    await using timed = await startTimedRack('2026-05-01T00:00:30Z', shop(minutely('print ran pause 5')))
    const { rack } = timed
    const minute = (steps: number, second: string) =>
      new Date(Date.UTC(2026, 4, 1, 0, steps + 1)).toISOString().replace('00.000Z', `${second}.000Z`)
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 100, 'no end')
      timed.setClock(minute(steps, '00'))
      const parts = dieAfter(rack, steps)
      const dying = await rack.restart({ ...parts, now: () => new Date(minute(steps, '00')) })
      const work = async () => (await dying.recover(rack.control), await dying.runTimers(rack.control))
      const isWhole = await work().then(
        () => true,
        () => false,
      )
      await timed.restart()
      await timed.at(minute(steps, '05'))
      await timed.settle()
      const where = `after ${steps} steps, ${parts.calls.at(-1)}`
      const due = (await timed.runs()).filter((run) => run.due === minute(steps, '00'))
      assert.deepEqual(
        due.map(({ status, exitCode }) => [status, exitCode]),
        [['complete', 0]],
        where,
      )
      assert.equal((await linesOf(timed)).length, steps + 1, where)
      assert.deepEqual(await rack.store.operations.running(), [], where)
      if (isWhole && parts.calls.length < steps) break
    }
  },
)

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Engine } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { imageAddress } from '../../src/domain/service-plan.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, tester } from '../support/memory-rack.ts'
import { serviceRun } from '../support/service-run.ts'

const run = serviceRun({ image: 'redis:7', scheme: 'redis', port: 6379 })

/** A rack with a service, whose every command prints the same; on whose clock it is what a test says. */
async function startScheduled(time: string) {
  const rack = await startMemoryRack()
  const { control } = rack
  let clock = new Date(time)
  let fails = false
  const told: string[] = []
  const log = (_level: string, message: string) => void told.push(message)
  const exec: Engine['exec'] = async (_copy, _command, terminal) => {
    await terminal.output('stdout', Buffer.from('all keys'))
    return fails ? 1 : 0
  }
  const engine = Object.assign(Object.create(rack.engine) as Engine, { exec })
  const row = { name: 'main', type: 'redis', status: 'running' as const, run }
  await rack.store.services.create(row, imageAddress('main', run))
  const open = async () => {
    const room = await rack.restart({ now: () => clock, engine, log })
    assert.ok(await room.recover(control))
    return room
  }
  let room = await open()
  const made = async () =>
    (await room.operations.as(tester).listBackups('main')).map(({ created }) => created)
  return {
    operations: () => room.operations.as(tester),
    control,
    made,
    objects: rack.objects,
    told,
    events: async () => (await rack.store.events.after(0, 1000)).map(({ facts }) => facts),
    fail: (value: boolean) => void (fails = value),
    /** The clock goes on, and the daemon sees to what is due. */
    async at(text: string, wanted: string[]) {
      clock = new Date(text)
      await room.runTimers(control)
      const isMade = async () =>
        (await made()).join() === wanted.map((one) => new Date(one).toISOString()).join()
      await until(isMade, { deadlineMs: 20_000, what: `the backups ${wanted.join()}` })
    },
    restart: async () => void (room = await open()),
    [Symbol.asyncDispose]: () => rack[Symbol.asyncDispose](),
  }
}

test('a service is backed up when it is time, and once for all times that a daemon was away', async () => {
  await using rack = await startScheduled('2026-03-01T10:10:00Z')
  const { control } = rack
  const { says, ...set } = await rack
    .operations()
    .setBackupSchedule('main', { every: '0 * * * *', keep: '3h' }, control)
  assert.match(says, /^all keys/)
  assert.deepEqual(await rack.operations().getBackupSchedule('main'), set)
  await rack.at('2026-03-01T10:59:00Z', [])
  await rack.at('2026-03-01T11:00:10Z', ['2026-03-01T11:00:10Z'])
  await rack.at('2026-03-01T11:59:00Z', ['2026-03-01T11:00:10Z'])
  const second = ['2026-03-01T12:00:30Z', '2026-03-01T11:00:10Z']
  await rack.at('2026-03-01T12:00:30Z', second)
  await rack.restart()
  await rack.at('2026-03-01T12:30:00Z', second)
  // Three hours later, by a daemon that has seen none of them.
  await rack.at('2026-03-01T15:20:00Z', ['2026-03-01T15:20:00Z', ...second])
  // What was asked for is none of those that go.
  await rack.operations().backupService('main', 'asked', control)
  const [asked] = await rack.made()
  await rack.at('2026-03-01T16:00:00Z', ['2026-03-01T16:00:00Z', asked!, '2026-03-01T15:20:00Z', second[0]!])
  await rack.operations().removeBackupSchedule('main')
  await rack.at('2026-03-01T19:00:00Z', ['2026-03-01T16:00:00Z', asked!, '2026-03-01T15:20:00Z', second[0]!])
})

test('one that fails leaves nothing, and the next comes when it is time', async () => {
  await using rack = await startScheduled('2026-03-01T10:10:00Z')
  await rack.operations().setBackupSchedule('main', { every: '0 * * * *', keep: null }, rack.control)
  rack.fail(true)
  await rack.at('2026-03-01T11:00:00Z', [])
  const isTold = () => rack.told.includes('the service main is not backed up')
  await until(isTold, { deadlineMs: 20_000, what: 'the failure to be told' })
  const failure = async () => (await rack.operations().getService('main', rack.control)).backupFailed
  const isKept = async () => (await failure()) !== null
  await until(isKept, { deadlineMs: 20_000, what: 'the failure to be kept' })
  assert.deepEqual(await failure(), { time: '2026-03-01T11:00:00.000Z', reason: 'sh ended with 1' })
  const [listed] = await rack.operations().listServices(rack.control)
  assert.equal(listed?.backupFailed?.reason, 'sh ended with 1')
  const events = await Array.fromAsync(await rack.events())
  assert.deepEqual(events.at(-1), { backup: 'failed', reason: 'sh ended with 1' })

  rack.fail(false)
  await rack.at('2026-03-01T12:00:00Z', ['2026-03-01T12:00:00Z'])
  const isOver = async () => (await failure()) === null
  await until(isOver, { deadlineMs: 20_000, what: 'the failure to be over' })
})

test('old backups that cannot be removed are no missing backup', async () => {
  await using rack = await startScheduled('2026-03-01T10:10:00Z')
  await rack.operations().setBackupSchedule('main', { every: '0 * * * *', keep: '1h' }, rack.control)
  await rack.at('2026-03-01T11:00:00Z', ['2026-03-01T11:00:00Z'])
  rack.objects.remove = async () => {
    throw new RackError('disk-full', 'nothing can be removed')
  }
  await rack.at('2026-03-01T15:00:00Z', ['2026-03-01T15:00:00Z', '2026-03-01T11:00:00Z'])
  const said = 'backups of main that have had their time are not removed yet'
  await until(() => rack.told.some((text) => text !== 'audit'), {
    deadlineMs: 20_000,
    what: 'the failure to be told',
  })
  assert.deepEqual(
    rack.told.filter((text) => text !== 'audit'),
    [said],
  )
  assert.equal((await rack.operations().getService('main', rack.control)).backupFailed, null)
})

test('a table or a retention that is none is refused, and a service that has no backups', async () => {
  await using rack = await startScheduled('2026-03-01T10:10:00Z')
  const { control } = rack
  const set = (every: string, keep: string | null = null) =>
    rack.operations().setBackupSchedule('main', { every, keep }, control)
  await assert.rejects(set('61 * * * *'), /"61 \* \* \* \*" is no time table: 61 /)
  await assert.rejects(set('* * * *'), { code: 'invalid' })
  await assert.rejects(set('* * * * * echo'), { code: 'invalid' })
  await assert.rejects(set('0 3 * * *', '7x'), { code: 'invalid' })
  await assert.rejects(rack.operations().getBackupSchedule('other'), { code: 'not-found' })
  const url = { name: 'far', type: 'url', url: 'tcp://127.0.0.1:1' }
  await rack.operations().createService(url, control)
  const far = rack.operations().setBackupSchedule('far', { every: '0 3 * * *', keep: null }, control)
  await assert.rejects(far, { code: 'unsupported' })
})

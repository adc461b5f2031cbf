import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Control } from '../domain/control.ts'
import { admitExtra } from '../domain/admission.ts'
import type { RackError } from '../domain/error.ts'
import type { Operation } from '../domain/operation.ts'
import { appOwner } from '../domain/owner.ts'
import { capacityOf, capacityOver, type Capacity, type Holder } from '../domain/rack.ts'
import { createAdmissionControl } from './admission-control.ts'

const control: Control = { signal: new AbortController().signal, report: () => undefined }
const each = { cpuUnits: 100, memoryBytes: 100 }
const total = { cpuUnits: 1000, memoryBytes: 1000 }
const one = (capacity: Capacity) => admitExtra('web', each, 1, capacity)

function openAdmission(holders: Holder[], rows: Operation[] = []) {
  const engine = { capacity: async () => capacityOf(total, holders) }
  return createAdmissionControl({ engine, journal: { running: async () => rows } })
}

test('ten that start at once get the room of ten, whatever their app', async () => {
  for (const appOf of [() => 'shop', (index: number) => `shop-${index}`]) {
    const admission = openAdmission([])
    const rooms = await Promise.all(
      Array.from({ length: 10 }, (_none, index) => admission.admit(appOf(index), 'a one-off', one, control)),
    )
    assert.equal((await admission.capacity(control)).free.cpuUnits, 0)
    await assert.rejects(
      admission.admit('shop', 'one more', one, control),
      (error: RackError) => error.code === 'capacity',
    )
    for (const room of rooms) room[Symbol.dispose]()
    assert.equal((await admission.capacity(control)).free.cpuUnits, 1000)
  }
})

test('what has started is counted once', async () => {
  const holders: Holder[] = []
  const admission = openAdmission(holders)
  using _room = await admission.admit('shop', 'a one-off', one, control)
  holders.push({ owner: appOwner('shop'), type: 'web', kind: 'one-off', count: 1, each })
  assert.equal((await admission.capacity(control)).free.cpuUnits, 900)
})

test('what a service holds is not counted for the app of its name', async () => {
  const service = { kind: 'service' as const, name: 'shop' }
  const admission = openAdmission([{ owner: service, type: 'db', kind: 'process', count: 1, each }])
  using room = await admission.admit('shop', 'a one-off', one, control)
  assert.equal(room.peak.cpuUnits, each.cpuUnits)
})

function rowOf(app: string, units: number): Operation {
  const reserved = { cpuUnits: units, memoryBytes: units }
  const closed = { ended: null, error: null, receipt: null }
  return {
    id: `O-${app}`,
    app,
    kind: 'promote',
    actor: '',
    status: 'running',
    intent: { reserved },
    started: '',
    ...closed,
  }
}

const refused = (error: RackError) => error.code === 'capacity'

test('what an open row reserves is taken, less what has started of it', async () => {
  const holders: Holder[] = [{ owner: appOwner('shop'), type: 'web', kind: 'process', count: 2, each }]
  const admission = openAdmission(holders, [rowOf('shop', 900)])
  const { free, holders: all } = await admission.capacity(control)
  assert.deepEqual([free.cpuUnits, all.length], [100, 2])
  using _last = await admission.admit('blog', 'a one-off', one, control)
  await assert.rejects(admission.admit('blog', 'one more', one, control), refused)
})

test('a copy that no machine has room for is refused, though the sum of what is free would do', async () => {
  const holders: Holder[] = [{ owner: appOwner('blog'), type: 'web', kind: 'process', count: 6, each }]
  const machines = ['i-1', 'i-2'].map((id) => ({ id, total, holders }))
  const engine = { capacity: async () => capacityOver(machines) }
  const admission = createAdmissionControl({ engine, journal: { running: async () => [] } })
  const halves = admission.admit(
    'shop',
    'promoting R1 of shop',
    (room) => {
      return admitExtra('web', { cpuUnits: 500, memoryBytes: 500 }, 1, room)
    },
    control,
  )
  await assert.rejects(halves, (error: RackError) => {
    assert.match(error.message, /needs 500 cpu units and 500 B more, free 800 cpu units and 800 B of 2000/)
    assert.match(
      error.message,
      /the sum would fit, but no instance has room for a copy of web \(500 cpu units/,
    )
    assert.doesNotMatch(error.message, /short of/)
    return refused(error)
  })
})

test('what starts takes room of the machines too, and its row is believed by the sum alone', async () => {
  const machines = ['i-1', 'i-2'].map((id) => ({ id, total, holders: [] }))
  const engine = { capacity: async () => capacityOver(machines) }
  const row = rowOf('shop', 1500)
  const admission = createAdmissionControl({ engine, journal: { running: async () => [row] } })
  using _again = await admission.readmit(row, control)
  const { instances } = await admission.capacity(control)
  assert.deepEqual(
    instances.map(({ id, free }) => [id, free.cpuUnits]),
    [
      ['i-1', 0],
      ['i-2', 500],
    ],
  )
})

test('what is taken up again has its own room, unless the rack has become too small', async () => {
  const row = rowOf('shop', 900)
  const admission = openAdmission(
    [{ owner: appOwner('blog'), type: 'web', kind: 'process', count: 1, each }],
    [row],
  )
  using _live = admission.hold('shop', { cpuUnits: 500, memoryBytes: 500 })
  using _again = await admission.readmit(row, control)
  assert.equal((await admission.capacity(control)).free.cpuUnits, 0)
  await assert.rejects(openAdmission([], []).readmit(rowOf('shop', 1100), control), refused)
})

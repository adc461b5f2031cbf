import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Control } from '../domain/control.ts'
import { admitExtra } from '../domain/admission.ts'
import type { RackError } from '../domain/error.ts'
import { capacityOf, type Capacity, type Holder } from '../domain/rack.ts'
import { createAdmissionDesk } from './admission-desk.ts'

const control: Control = { signal: new AbortController().signal, report: () => undefined }
const each = { cpuUnits: 100, memoryBytes: 100 }
const total = { cpuUnits: 1000, memoryBytes: 1000 }
const one = (capacity: Capacity) => admitExtra('web', each, 1, capacity)

test('ten that start at once get the room of ten, whatever their app', async () => {
  for (const appOf of [() => 'shop', (index: number) => `shop-${index}`]) {
    const desk = createAdmissionDesk({ capacity: async () => capacityOf(total, []) })
    const rooms = await Promise.all(
      Array.from({ length: 10 }, (_none, index) => desk.admit(appOf(index), 'a one-off', one, control)),
    )
    assert.equal((await desk.capacity(control)).free.cpuUnits, 0)
    await assert.rejects(
      desk.admit('shop', 'one more', one, control),
      (error: RackError) => error.code === 'capacity',
    )
    for (const room of rooms) room[Symbol.dispose]()
    assert.equal((await desk.capacity(control)).free.cpuUnits, 1000)
  }
})

test('what has started is counted once', async () => {
  const holders: Holder[] = []
  const desk = createAdmissionDesk({ capacity: async () => capacityOf(total, holders) })
  using _room = await desk.admit('shop', 'a one-off', one, control)
  holders.push({ app: 'shop', type: 'web', kind: 'one-off', count: 1, each })
  assert.equal((await desk.capacity(control)).free.cpuUnits, 900)
})

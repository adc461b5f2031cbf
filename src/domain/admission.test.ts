import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guestbookPlan } from '../../test/support/guestbook.ts'
import { admitExtra, admitPlan, surgeOf } from './admission.ts'
import { changedTypes } from './copy-identity.ts'
import { appOwner } from './owner.ts'
import { capacityOf, capacityOver, tellHolders, type Holder } from './rack.ts'

const mebibyte = 2 ** 20
const each = { cpuUnits: 128, memoryBytes: 256 * mebibyte }
const total = { cpuUnits: 1024, memoryBytes: 2048 * mebibyte }
const holder = (type: string, count: number): Holder => ({
  owner: appOwner('guestbook'),
  type,
  kind: 'process',
  count,
  each,
})
const several = (count: number) =>
  capacityOver(Array.from({ length: count }, (_none, index) => ({ id: `i-${index}`, total, holders: [] })))
const live = [holder('web', 2), holder('worker', 1), holder('redis', 1)]

test('a first promote needs its counts', () => {
  const plan = guestbookPlan()
  const admission = admitPlan(plan, capacityOf(total, []), changedTypes(plan, null))
  assert.deepEqual([admission.fits, admission.needs.cpuUnits], [true, 4 * 128])
})

test('a roll needs the surge of its changed types only; a type with a volume has none', () => {
  const plan = guestbookPlan({ environment: { SECRET: 'other' } })
  const capacity = capacityOf(total, live)
  const all = admitPlan(plan, capacity, new Set(['web', 'worker', 'redis']))
  assert.equal(all.needs.cpuUnits, (2 + 1) * 128)
  const web = admitPlan(plan, capacity, new Set(['web']))
  assert.equal(web.needs.cpuUnits, 2 * 128)
})

test('a service holds nothing of what the app of its name needs, and the other way round', () => {
  const service = { kind: 'service' as const, name: 'guestbook' }
  const plan = guestbookPlan()
  const ofService = live.map((each) => ({ ...each, owner: service }))
  const app = admitPlan(plan, capacityOf(total, ofService), new Set())
  assert.deepEqual([app.needs.cpuUnits, app.demands.map(({ held }) => held)], [4 * 128, [0, 0, 0]])
  const own = admitPlan({ ...plan, owner: service }, capacityOf(total, ofService), new Set())
  assert.equal(own.needs.cpuUnits, 0)
  assert.deepEqual(
    tellHolders(app).holders.map(({ app: name, kind }) => [name, kind]),
    ofService.map(() => ['guestbook', 'service']),
  )
})

test('an agent needs a copy on every instance', () => {
  const [web, worker, redis] = guestbookPlan().processes
  assert.ok(web && worker && redis)
  const agent = { ...worker, isAgent: true, minimumPercent: 0, maximumPercent: 100 }
  const plan = { ...guestbookPlan(), processes: [web, agent, redis] }
  const needs = (instances: number) => admitPlan(plan, several(instances), new Set()).needs.cpuUnits
  assert.equal(needs(1), 4 * 128)
  assert.equal(needs(5), (4 + 4) * 128)
  const stopped = { ...plan, processes: [web, { ...agent, count: 0 }, redis] }
  assert.equal(admitPlan(stopped, several(5), new Set()).needs.cpuUnits, 3 * 128)
})

test('what does not fit is told with the arithmetic', () => {
  const plan = guestbookPlan({ formation: { web: { count: 500, ...each } } })
  const admission = admitPlan(plan, capacityOf(total, live), new Set())
  assert.equal(admission.fits, false)
  assert.deepEqual(admission.needs.cpuUnits, 498 * 128)
  assert.equal(admission.free.cpuUnits, 1024 - 4 * 128)
  assert.equal(admission.short.cpuUnits, 498 * 128 - 512)
  assert.equal(admission.demands.find(({ type }) => type === 'web')?.held, 2)
})

test('an overfull rack can still be made smaller', () => {
  const plan = guestbookPlan({ formation: { web: { count: 1, ...each } } })
  const crowded = capacityOf({ cpuUnits: 100, memoryBytes: mebibyte }, live)
  assert.equal(admitPlan(plan, crowded, new Set()).fits, true)
})

test('a type that is replaced counts its old copies at their old size, and grows to its count', () => {
  const sized = (count: number, cpuUnits: number) =>
    guestbookPlan({ formation: { web: { count, cpuUnits, memoryBytes: each.memoryBytes } } })
  const roomy = { ...total, cpuUnits: 4096 }
  const needs = (count: number, cpuUnits: number) =>
    admitPlan(sized(count, cpuUnits), capacityOf(roomy, live), new Set(['web'])).needs.cpuUnits
  assert.equal(needs(2, 256), 2 * 256)
  assert.equal(needs(2, 64), 2 * 64)
  // Four of 256 in the end; on the way two old ones stand beside four new ones.
  assert.equal(needs(4, 256), 4 * 256)
})

test('a small surge does not hide a larger count', () => {
  const plan = guestbookPlan({ formation: { web: { count: 6, ...each } } })
  const processes = plan.processes.map((type) => ({ ...type, maximumPercent: 100 }))
  const admission = admitPlan({ ...plan, processes }, capacityOf(total, live), new Set(['web']))
  assert.deepEqual([admission.needs.cpuUnits, admission.demands[0]?.peak], [4 * 128, 6])
})

test('a surge that does not fit is made as small as it must be, and a refusal tells of the smallest', () => {
  const plan = guestbookPlan({ formation: { web: { count: 4, ...each } } })
  const held = [holder('web', 4), holder('worker', 1), holder('redis', 1)]
  const admit = (left: number, minimumPercent = 100) => {
    const processes = plan.processes.map((type) => ({ ...type, minimumPercent }))
    const capacity = capacityOf({ cpuUnits: (6 + left) * 128, memoryBytes: 2 ** 40 }, held)
    const { fits, needs, short, surges, demands } = admitPlan(
      { ...plan, processes },
      capacity,
      new Set(['web', 'worker']),
    )
    const beside = [surges['web']?.beside, surges['worker']?.beside]
    const counts = [
      needs.cpuUnits / 128,
      short.cpuUnits / 128,
      demands.find(({ type }) => type === 'web')?.peak,
    ]
    return { fits, beside, counts }
  }
  assert.deepEqual(admit(5), { fits: true, beside: [4, 1], counts: [5, 0, 8] })
  assert.deepEqual(admit(4), { fits: true, beside: [3, 1], counts: [4, 0, 7] })
  assert.deepEqual(admit(2), { fits: true, beside: [1, 1], counts: [2, 0, 5] })
  assert.deepEqual(admit(1), { fits: false, beside: [1, 1], counts: [2, 1, 5] })
  // Half of four may be missing, and of one none.
  assert.deepEqual(admit(1, 50), { fits: true, beside: [0, 1], counts: [1, 0, 4] })
  assert.deepEqual(admit(0, 50), { fits: false, beside: [0, 1], counts: [1, 1, 4] })
  const { surges } = admitPlan(plan, capacityOf(total, held), new Set(), new Map([['web', 1]]))
  assert.deepEqual(surges, { web: { held: 4, beside: 1 } })
})

test('one more of something', () => {
  assert.equal(admitExtra('web', each, 4, capacityOf(total, live)).fits, true)
  assert.equal(admitExtra('web', each, 5, capacityOf(total, live)).fits, false)
})

test('the surge follows the percentages', () => {
  const [web] = guestbookPlan().processes
  assert.ok(web)
  const surge = (count: number, minimumPercent: number, maximumPercent: number) =>
    surgeOf({ ...web, count, minimumPercent, maximumPercent })
  assert.deepEqual(
    [surge(4, 100, 200), surge(4, 100, 150), surge(4, 100, 100), surge(4, 0, 100)],
    [4, 2, 1, 0],
  )
})

test('copies that drain make no room: what their type needs comes beside them', () => {
  const plan = guestbookPlan({ formation: { web: { count: 4, ...each } } })
  const full = { ...total, cpuUnits: 6 * 128 }
  const capacity = capacityOf(full, [...live, { ...holder('web', 2), kind: 'draining' }])
  const admission = admitPlan(plan, capacity, new Set())
  assert.deepEqual([admission.fits, admission.needs.cpuUnits, admission.free.cpuUnits], [false, 2 * 128, 0])
})

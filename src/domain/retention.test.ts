import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { outlived, parseRetention } from './retention.ts'

function at(...times: string[]) {
  return times.map((created) => ({ created: new Date(created).toISOString() }))
}

test('the newest of each of so many days, weeks and months stays', () => {
  const days = Array.from({ length: 120 }, (_, day) =>
    new Date(Date.UTC(2026, 0, 1 + day, 3, 30)).toISOString(),
  )
  const gone = new Set(outlived(at(...days), parseRetention('7d,4w,6m')).map(({ created }) => created))
  const kept = days.filter((day) => !gone.has(day)).map((day) => day.slice(0, 10))
  // 2026-04-30 is the last; Sundays end weeks.
  assert.deepEqual(kept, [
    '2026-01-31',
    '2026-02-28',
    '2026-03-31',
    '2026-04-12',
    '2026-04-19',
    '2026-04-24',
    '2026-04-25',
    '2026-04-26',
    '2026-04-27',
    '2026-04-28',
    '2026-04-29',
    '2026-04-30',
  ])
})

test('of several in one day the newest stays, and a time without any takes none away', () => {
  const all = at('2026-01-01T03:00Z', '2026-01-01T12:00Z', '2026-01-02T03:00Z', '2026-09-09T03:00Z')
  assert.deepEqual(outlived(all, parseRetention('3d')), at('2026-01-01T03:00Z'))
})

test('the newest stays by any rules, and what went never comes back as wanted', () => {
  const time = fc.date({ min: new Date('2025-01-01'), max: new Date('2027-01-01'), noInvalidDate: true })
  const rule = fc.record({
    unit: fc.constantFrom('h', 'd', 'w', 'm', 'y'),
    count: fc.integer({ min: 1, max: 9 }),
  })
  fc.assert(
    fc.property(fc.array(time, { minLength: 1 }), fc.array(rule), (times, rules) => {
      const all = times.map((one) => ({ created: one.toISOString() }))
      const gone = outlived(all, rules)
      const left = all.filter((one) => !gone.includes(one))
      assert.ok(left.some(({ created }) => all.every((one) => one.created <= created)))
      assert.deepEqual(outlived(left, rules), [])
    }),
  )
})

test('what says nothing of the kind is refused', () => {
  for (const text of ['', '7', 'd', '0d', '7d,', '7d 4w', '7x', '12345d']) {
    assert.throws(() => parseRetention(text), { code: 'invalid' }, text)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cron } from 'croner'
import fc from 'fast-check'
import { cronFields } from './cron-fields.ts'
import { isTimezone, readTimer, timezonesLike } from './timers.ts'

const scheduleOf = (text: string) => readTimer(`${text} bin/x`).timer?.schedule
const faultOf = (text: string) => {
  const [fault] = readTimer(text).faults
  return fault && `${fault.part} ${fault.message}; ${fault.hint}`
}

test('a timer is five fields and a command', () => {
  const reading = readTimer(' 0  3 * * *   bin/nightly  --all "a  b" ')
  assert.deepEqual(reading.timer, { schedule: '0 3 * * *', command: 'bin/nightly  --all "a  b"' })
  const table: [text: string, schedule: string][] = [
    ['*/20 0-4 1,15 JAN-mar mon', '*/20 0,1,2,3,4 1,15 1,2,3 1'],
    ['*/20,5 * * * *', '0,5,20,40 * * * *'],
    ['0 0 * * */2', '0 0 * * 0,2,4,6'],
    ['5/20 * * * *', '5,25,45 * * * *'],
    ['0 0 * * SAT-SUN', '0 0 * * 0,6'],
    ['0 0 * * 5-7', '0 0 * * 0,5,6'],
    ['0 0 * * 7', '0 0 * * 0'],
    ['*/1 * * * *', '* * * * *'],
    ['0 9 ? * 2-6', '0 9 * * 1,2,3,4,5'],
    ['0 9 ? * MON#1', '0 9 * * 1#1'],
    ['0 9 ? * 6L', '0 9 * * 5L'],
    ['0 9 L * ?', '0 9 L * *'],
    ['0 9 15W * ?', '0 9 15W * *'],
    ['0 9 LW * ?', '0 9 LW * *'],
    ['0 0 29 2 *', '0 0 29 2 *'],
    ['0 0 30 2 MON', '0 0 30 2 1'],
  ]
  for (const [text, schedule] of table) assert.equal(scheduleOf(text), schedule, text)
})

test('numbers beside a `?` are days as AWS counts them, and that is said', () => {
  const { notes } = readTimer('0 9 ? * 2 bin/x')
  assert.deepEqual(notes, [
    { part: '2', message: 'is MON beside a `?`, as AWS counts the days', hint: 'write MON' },
  ])
  assert.deepEqual(readTimer('0 9 ? * MON bin/x').notes, [])
})

test('what no timer can be is refused by its part', () => {
  const table: [text: string, fault: RegExp][] = [
    ['', / has 0 words; write five fields/],
    ['0 3 * *', /has 4 words/],
    ['0 3 * * *', /0 3 \* \* \* names no command/],
    ['@daily bin/x', /@daily is not read; .*: 0 0 \* \* \* bin\/daily/],
    ['0 0 3 * * * bin/x', /^\* is a sixth field/],
    ['0 3 * * ? 2030 bin/x', /^2030 is a sixth field/],
    ['60 * * * * x', /^60 is not a minute; use 0 to 59/],
    ['0 24 * * * x', /^24 is not an hour/],
    ['0 0 0 * * x', /^0 is not a day of the month; use 1 to 31/],
    ['0 0 * 13 * x', /^13 is not a month; use 1 to 12, or JAN to DEC/],
    ['0 0 * * 8 x', /^8 is not a day of the week; use 0 to 7, or SUN to SAT/],
    ['0 0 ? * 0 x', /^0 is not a day of the week; use 1 \(SUN\) to 7 \(SAT\)/],
    ['0 0 * * monday x', /^monday is not a day of the week/],
    ['0 0 * * FRI-MON x', /^FRI-MON goes backwards; write two ranges: FRI-SAT,SUN-MON/],
    ['*/0 * * * * x', /^\*\/0 has a step that is not 1 to 60/],
    ['*/90 * * * * x', /^\*\/90 has a step/],
    ['1,,2 * * * * x', /^ is not a minute/],
    ['? * * * * x', /^\? stands for a day alone, not for a minute; write \*/],
    ['*-5 * * * * x', /^\*-5 is not a minute/],
    ['0 0 32W * * x', /^32W is not a day of the month/],
    ['0 0 * * MON#6 x', /^MON#6 is not a day of the week/],
    ['0 0 15W,LW * * x', /^15W stands alone in its field/],
    ['0 0 30 2 * x', /^30 2 never comes/],
    ['0 0 31 2,4,6,9,11 ? x', /never comes/],
    ['0 0 30W FEB * x', /never comes/],
    [`${'1,'.repeat(80)}1 * * * * x`, /is too long for a minute/],
    [`${'9'.repeat(9000)} * * * * x`, /is too long for a minute/],
  ]
  for (const [text, pattern] of table) assert.match(faultOf(text) ?? 'no fault', pattern, text.slice(0, 80))
})

test('time zones are those of the system', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'US/Eastern', 'America/Argentina/Salta', 'Etc/GMT+5'])
    assert.ok(isTimezone(zone), zone)
  for (const zone of ['', 'local', '+02:00', 'Europe/Nowhere', 'x'.repeat(9000), 'UTC\n'])
    assert.ok(!isTimezone(zone))
  assert.ok(timezonesLike('Europe/Belrin').includes('Europe/Berlin'))
})

/** Mostly right fields, with all that the grammar has. */
const fieldText = (index: number) => {
  const { min, max, names } = cronFields[index]!
  const number = fc.oneof(
    fc.integer({ min, max }).map(String),
    ...(names.length > 0 ? [fc.constantFrom(...names)] : []),
  )
  const numbers = fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }))
  const range = numbers.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
  const step = fc
    .tuple(fc.oneof(fc.constant('*'), range, number), fc.integer({ min: 1, max }))
    .map(([a, b]) => `${a}/${b}`)
  const day =
    index === 2
      ? ['L', 'LW', '15W', '1W', '31W', '?']
      : index === 4
        ? ['MON#5', '3#1', 'FRIL', '0L', '?']
        : ['*']
  const item = fc.oneof(number, range, step, fc.constantFrom('*', ...day))
  return fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','))
}

test('every timer that is read has a next time, and croner finds it where the fields say', () => {
  const from = new Date('2023-03-01T00:00:00Z')
  const text = fc.tuple(...[0, 1, 2, 3, 4].map(fieldText)).map((fields) => fields.join(' '))
  let read = 0
  fc.assert(
    fc.property(text, (schedule) => {
      const { timer } = readTimer(`${schedule} x`)
      if (!timer) return
      read += 1
      const next = new Cron(timer.schedule, { paused: true, timezone: 'UTC', mode: '5-part' }).nextRun(from)
      assert.ok(next, schedule)
      const [minutes = '', hours = '', , months = ''] = timer.schedule.split(' ')
      const holds = (field: string, number: number) =>
        field.startsWith('*')
          ? number % Number(field.slice(2) || 1) === 0
          : field.split(',').includes(String(number))
      assert.ok(holds(minutes, next.getUTCMinutes()) && holds(hours, next.getUTCHours()), schedule)
      assert.ok(holds(months, next.getUTCMonth() + 1), schedule)
    }),
    { numRuns: 3000 },
  )
  assert.ok(read > 500, `${read} were read`)
})

test('hostile text takes no time', () => {
  const texts = [
    '0-59/1,'.repeat(9000),
    '* '.repeat(30_000),
    '0 0 30 2 * x\n'.repeat(5000),
    '-'.repeat(60_000),
  ]
  const started = performance.now()
  for (const text of texts) readTimer(text)
  assert.ok(performance.now() - started < 1000)
})

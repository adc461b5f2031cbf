import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatDuration, parseBytes, parseDuration } from './sizes.ts'

const sizes: [string, number | null][] = [
  ['0', 0],
  ['512', 512],
  ['512b', 512],
  ['64k', 65_536],
  ['256m', 268_435_456],
  ['256MB', 268_435_456],
  ['256 MiB', 268_435_456],
  ['1.5GiB', 1_610_612_736],
  ['2T', 2_199_023_255_552],
  ['0.5p', 562_949_953_421_312],
  ['', null],
  ['m', null],
  ['-1m', null],
  ['1e3', null],
  ['12 apples', null],
  ['99999999999t', null],
]
for (const [text, bytes] of sizes) {
  test(`parseBytes('${text}') is ${bytes}`, () => assert.equal(parseBytes(text), bytes))
}

const durations: [string, number | null][] = [
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5s', 1500],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  ['1h0m1s', 3_601_000],
  ['100us', 0.1],
  ['10', null],
  ['', null],
  ['1m 30s', null],
  ['-1s', null],
]
for (const [text, ms] of durations) {
  test(`parseDuration('${text}') is ${ms}`, () => assert.equal(parseDuration(text), ms))
}

test('bytes as people read them', () => {
  const printed = [0, 512, 1536, 268_435_456, 1_610_612_736, 1_048_575].map(formatBytes)
  assert.deepEqual(printed, ['0 B', '512 B', '1.5 KiB', '256 MiB', '1.5 GiB', '1 MiB'])
})

test('durations as people read them', () => {
  const printed = [0, 640, 999.9, 1300, 9960, 59_400, 59_600, 125_000, 3_600_000, 10_920_000, 349_200_000]
  assert.deepEqual(printed.map(formatDuration), [
    '0 ms',
    '640 ms',
    '1 s',
    '1.3 s',
    '10 s',
    '59 s',
    '1 min',
    '2 min 5 s',
    '1 h',
    '3 h 2 min',
    '4 d 1 h',
  ])
})

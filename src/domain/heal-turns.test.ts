import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueMs, longestHealGapMs, shortestHealGapMs, takeTurn, wellMs, type HealTurn } from './heal-turns.ts'

test('a type is healed at once, then after longer and longer gaps, to a bound', () => {
  assert.equal(dueMs(undefined), -Infinity)
  let turn: HealTurn | undefined
  const gaps: number[] = []
  for (let nowMs = 0; gaps.length < 12; nowMs = dueMs(turn)) {
    turn = takeTurn(turn, nowMs)
    gaps.push(turn.gapMs)
  }
  assert.deepEqual(gaps.slice(0, 3), [shortestHealGapMs, 2 * shortestHealGapMs, 4 * shortestHealGapMs])
  assert.deepEqual(gaps.slice(-2), [longestHealGapMs, longestHealGapMs])
})

test('a type that was well for long begins anew', () => {
  const turn = takeTurn({ atMs: 0, gapMs: longestHealGapMs }, longestHealGapMs + wellMs)
  assert.equal(turn.gapMs, shortestHealGapMs)
})

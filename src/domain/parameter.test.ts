import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildDeadlineOf, checkParameter, logBudgetOf, parameterOf } from './parameter.ts'

test('a value that a parameter cannot have is refused, and so is a name that is none', () => {
  assert.equal(checkParameter('logs.size', '50M'), 'logs.size')
  assert.equal(checkParameter('logs.age', 'any'), 'logs.age')
  for (const value of ['1m', '90m', '7d'])
    assert.equal(checkParameter('builds.deadline', value), 'builds.deadline')
  for (const [name, value] of [
    ['logs.size', '1000'],
    ['logs.size', 'much'],
    ['logs.age', '1s'],
    ['logs.age', ''],
    ['builds.deadline', '30s'],
    ['builds.deadline', '8d'],
    ['builds.deadline', 'any'],
  ] as const) {
    assert.throws(() => checkParameter(name, value), { code: 'invalid' }, `${name}=${value}`)
  }
  assert.throws(() => checkParameter('logs.colour', 'red'), { code: 'not-found' })
})

test('what is not set has a value by itself', () => {
  assert.deepEqual(logBudgetOf(null, null), { bytes: 20 * 2 ** 20, ageMs: null })
  assert.deepEqual(logBudgetOf('2G', '7d'), { bytes: 2 ** 31, ageMs: 7 * 86_400_000 })
  assert.deepEqual([buildDeadlineOf(null), buildDeadlineOf('5m')], [3_600_000, 300_000])
  assert.equal(parameterOf('logs.age', null).isDefault, true)
  assert.equal(parameterOf('logs.age', '7d').isDefault, false)
})

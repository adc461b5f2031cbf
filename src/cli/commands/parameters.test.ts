import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parameterOf } from '../../domain/parameter.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

test('parameters are shown, and changed by NAME=VALUE', async () => {
  const changed: unknown[] = []
  const rack = {
    listParameters: async () => [parameterOf('logs.size', null), parameterOf('logs.age', '7d')],
    async changeParameters(values: Record<string, string>) {
      changed.push(values)
      return [parameterOf('logs.size', '50M')]
    },
  }
  const shown = await typeCommand(['parameters'], { rack })
  assert.match(shown.stdout, /^logs\.size +20M \(default\) /m)
  assert.match(shown.stdout, /^logs\.age +7d +how old/m)
  const set = await typeCommand(['parameters', 'set', 'logs.size=50M', 'logs.age=any'], { rack })
  assert.equal(set.code, 0, set.stderr)
  assert.deepEqual(changed, [{ 'logs.size': '50M', 'logs.age': 'any' }])
  assert.equal((await typeCommand(['parameters', 'set', 'logs.size'], { rack })).code, 2)
})

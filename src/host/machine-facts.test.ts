import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMachineFacts } from './machine-facts.ts'

test('this machine has cores and memory', async () => {
  const { cpuUnits, memoryBytes } = await readMachineFacts()
  assert.ok(cpuUnits >= 1024 && cpuUnits % 1024 === 0)
  assert.ok(memoryBytes > 2 ** 27)
})

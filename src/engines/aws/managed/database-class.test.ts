import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseClass } from './database-class.ts'

const gibibyte = 2 ** 30
const classOf = (cpuUnits: number, memoryBytes: number) =>
  databaseClass({ name: 'main', cpuUnits, memoryBytes })

test('the smallest machine that holds what is asked for', () => {
  assert.equal(classOf(256, 512 * 2 ** 20), 'db.t4g.micro')
  assert.equal(classOf(256, gibibyte + 1), 'db.t4g.small')
  assert.equal(classOf(2049, gibibyte), 'db.t4g.xlarge')
  assert.equal(classOf(8192, 32 * gibibyte), 'db.t4g.2xlarge')
  assert.throws(() => classOf(8193, gibibyte), /more than db\.t4g\.2xlarge has: 8 cores and 32 GiB/)
})

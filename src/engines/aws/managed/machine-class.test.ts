import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheClass, databaseClass } from './machine-class.ts'

const gibibyte = 2 ** 30
const classOf = (cpuUnits: number, memoryBytes: number) =>
  databaseClass({ name: 'main', cpuUnits, memoryBytes })

test('the smallest machine that holds what is asked for', () => {
  assert.equal(classOf(256, 512 * 2 ** 20), 'db.t4g.micro')
  assert.equal(classOf(256, gibibyte + 1), 'db.t4g.small')
  assert.equal(classOf(2049, gibibyte), 'db.t4g.xlarge')
  assert.equal(classOf(8192, 32 * gibibyte), 'db.t4g.2xlarge')
  assert.throws(() => classOf(8193, gibibyte), /more than db\.t4g\.2xlarge has: 8 cores and 32 GiB/)
  assert.equal(cacheClass({ name: 'cache', cpuUnits: 128, memoryBytes: gibibyte }), 'cache.t4g.small')
  assert.throws(
    () => cacheClass({ name: 'cache', cpuUnits: 128, memoryBytes: 27 * gibibyte }),
    /more than cache\.m7g\.2xlarge has: 8 cores and 26\.04 GiB/,
  )
})

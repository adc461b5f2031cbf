import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fargateSize, mebibyte } from './fargate-size.ts'

test('a copy gets the smallest size that holds it and what runs beside it', () => {
  const rows: [number, number, number, number][] = [
    [128, 64, 256, 512],
    [256, 448, 256, 512],
    [256, 449, 256, 1024],
    [256, 2048, 512, 3072],
    [257, 100, 512, 1024],
    [1024, 512, 1024, 2048],
    [4096, 30_000, 4096, 30_720],
    [4096, 31_000, 8192, 32_768],
    [16_384, 122_816, 16_384, 122_880],
  ]
  for (const [cpuUnits, memory, cpu, rounded] of rows) {
    const size = fargateSize({ cpuUnits, memoryBytes: memory * mebibyte })
    assert.deepEqual(size, { cpu, memory: rounded }, `${cpuUnits} ${memory}`)
  }
})

test('what no size holds is refused', () => {
  assert.throws(() => fargateSize({ cpuUnits: 20_000, memoryBytes: 0 }), { code: 'capacity' })
  assert.throws(() => fargateSize({ cpuUnits: 256, memoryBytes: 122_880 * mebibyte }), { code: 'capacity' })
})

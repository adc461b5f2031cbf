import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../domain/owner.ts'
import { holdersOf } from './capacity.ts'

const owner = appOwner('shop')
const tags = { cpu: '256', memory: '1024' }
const each = { cpuUnits: 256, memoryBytes: 1024 }

test('services reserve what they are asked for, those that leave what still runs, those taken away nothing', () => {
  const service = (desiredCount: number, runningCount: number, status = 'ACTIVE') => ({
    desiredCount,
    runningCount,
    status,
  })
  const generations = [
    { owner, type: 'web', tags, service: service(2, 1) },
    { owner, type: 'web', tags: { ...tags, state: 'leaving' }, service: service(0, 1) },
    { owner, type: 'web', tags, service: service(1, 1, 'DRAINING') },
    { owner, type: 'idle', tags, service: service(0, 0) },
  ]
  const tasks = [{ owner, type: 'web', kind: 'one-off' as const, tags }]
  assert.deepEqual(holdersOf(generations, tasks), [
    { owner, type: 'web', kind: 'process', count: 2, each },
    { owner, type: 'web', kind: 'draining', count: 1, each },
    { owner, type: 'web', kind: 'one-off', count: 1, each },
  ])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlFor } from '../../../../test/support/docker-rack.ts'
import { usualIntervals } from '../parts.ts'
import type { Generation, OwnRollout } from './own.ts'
import { takeTasks } from './start-copies.ts'

test('a task that ECS cannot place fails the deploy with the last word of ECS', async () => {
  const message = 'service shop_web_GAAAAAAAAAA was unable to place a task. Reason: no capacity is left.'
  const ecs = {
    listTasks: async () => await Promise.resolve({ taskArns: [] }),
    describeServices: async () =>
      await Promise.resolve({ services: [{ serviceName: 'shop_web_GAAAAAAAAAA', events: [{ message }] }] }),
  }
  const intervals = { ...usualIntervals, tasks: 5, noTask: 20 }
  const parts = { clients: { ecs }, places: { cluster: 'c' }, intervals }
  const own = { parts, copies: new Map(), started: [] } as unknown as OwnRollout
  const generation = { name: 'shop_web_GAAAAAAAAAA', type: 'web' } as Generation
  const taking = takeTasks(own, generation, { known: new Set(), count: 1 }, controlFor(10_000))
  await assert.rejects(taking, {
    code: 'deploy-failed',
    message: /web: .*unable to place a task.*no capacity/s,
  })
})

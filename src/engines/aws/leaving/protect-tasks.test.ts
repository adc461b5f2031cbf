import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UpdateTaskProtectionCommandInput } from '@aws-sdk/client-ecs'
import type { AwsParts } from '../parts.ts'
import { protectTasks } from './protect-tasks.ts'

test('tasks are protected ten at a time; one that has ended needs it not, any other refusal is told', async () => {
  const calls: (string[] | undefined)[] = []
  let reason = 'MISSING'
  const updateTaskProtection = async ({ tasks }: UpdateTaskProtectionCommandInput) => {
    calls.push(tasks)
    return await Promise.resolve({ failures: [{ arn: tasks![0], reason }] })
  }
  const parts = {
    clients: { ecs: { updateTaskProtection } },
    places: { cluster: 'c' },
  } as unknown as AwsParts
  const tasks = Array.from({ length: 11 }, (_each, index) => `task${index}`)
  const { signal } = new AbortController()
  await protectTasks(parts, tasks, true, { signal })
  assert.deepEqual(calls, [tasks.slice(0, 10), ['task10']])
  reason = 'DEPLOYMENT_BLOCKED'
  await assert.rejects(protectTasks(parts, tasks, false, { signal }), {
    code: 'engine-failed',
    message: 'ECS does not let go of the task task0: DEPLOYMENT_BLOCKED',
  })
})

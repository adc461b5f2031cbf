import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEndedTasks } from './ended-tasks.ts'

const hourMs = 3_600_000

test('tasks that were told to end are forgotten when ECS has long forgotten them', () => {
  let now = 0
  const ended = createEndedTasks(() => now)
  for (let hour = 0; hour < 100; hour++) {
    now = hour * hourMs
    ended.add(`task-${hour}`)
    ended.add('told again and again')
  }
  const told = Array.from({ length: 100 }, (_each, hour) => `task-${hour}`)
  const known = [...told, 'told again and again'].filter((arn) => ended.has(arn))
  assert.deepEqual(known, ['task-97', 'task-98', 'task-99', 'told again and again'])
})

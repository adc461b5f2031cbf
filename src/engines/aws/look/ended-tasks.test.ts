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
  assert.deepEqual(
    ['task-99', 'task-97', 'task-96', 'told again and again'].map((arn) => ended.has(arn)),
    [true, true, false, true],
  )
  assert.equal(ended.size, 4)
})

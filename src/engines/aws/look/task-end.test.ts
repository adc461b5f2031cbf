import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfTask, isLeavingTask, isRunningTask } from './task-end.ts'

const main = { name: 'main' }

test('a task is over when its process has exited, with its code and whose doing it was', () => {
  assert.equal(endOfTask({ lastStatus: 'RUNNING', containers: [main] }), null)
  const exited = { lastStatus: 'DEPROVISIONING', stopCode: 'EssentialContainerExited' as const }
  assert.deepEqual(endOfTask({ ...exited, containers: [{ ...main, exitCode: 3 }] }), {
    code: 3,
    isOutOfMemory: false,
    notStarted: null,
    isOwn: true,
  })
  const stopped = endOfTask({
    lastStatus: 'STOPPED',
    stopCode: 'UserInitiated',
    containers: [{ ...main, exitCode: 0 }],
  })
  assert.equal(stopped?.isOwn, false)
  const reason = 'OutOfMemoryError: Container killed due to memory usage'
  assert.ok(endOfTask({ ...exited, containers: [{ ...main, exitCode: 137, reason }] })?.isOutOfMemory)
})

test("a process that never ran says why in AWS's words", () => {
  const failed = endOfTask({
    lastStatus: 'STOPPED',
    stopCode: 'TaskFailedToStart',
    stoppedReason: 'CannotPullContainerError: not found',
    containers: [{ ...main, reason: 'CannotPullContainerError: not found' }],
  })
  assert.equal(failed?.notStarted, 'CannotPullContainerError: not found')
  const failing = { lastStatus: 'DEPROVISIONING', desiredStatus: 'STOPPED', containers: [main] }
  assert.deepEqual(
    [isRunningTask(failing), endOfTask(failing)],
    [false, null],
    'it is not over before that is told',
  )
})

test('a task leaves when somebody has told it to, not when it ended', () => {
  const draining = { desiredStatus: 'STOPPED', lastStatus: 'DEACTIVATING' }
  assert.equal(isLeavingTask({ ...draining, stopCode: 'ServiceSchedulerInitiated' }), true)
  assert.equal(isLeavingTask({ ...draining, stopCode: 'EssentialContainerExited' }), false)
  assert.equal(isLeavingTask({ desiredStatus: 'STOPPED', lastStatus: 'STOPPED' }), false)
})

import type { Task } from '@aws-sdk/client-ecs'
import { mainContainer } from '../definition/task-definition.ts'

/** How a task ended. */
export interface TaskEnd {
  /** Of the user's process; 1 where it never ran. */
  code: number
  isOutOfMemory: boolean
  /** In AWS's words, where the process was not started at all; null where it was. */
  notStarted: string | null
  /** False where somebody stopped it. */
  isOwn: boolean
}

/** Null while the process runs, or is still to be started (aws.md 1.9). */
export function endOfTask(task: Task): TaskEnd | null {
  const main = task.containers?.find(({ name }) => name === mainContainer)
  const hasExited = main?.exitCode !== undefined
  if (!hasExited && task.lastStatus !== 'STOPPED') return null
  const reasons = [main?.reason, ...(task.containers ?? []).map(({ reason }) => reason)]
  const isOutOfMemory = reasons.some((reason) => reason?.startsWith('OutOfMemory'))
  const isStartFailure = task.stopCode === 'TaskFailedToStart' || !hasExited
  // Each container that was not started says the same.
  const said = [...new Set([task.stoppedReason, ...reasons])].filter(Boolean).join(': ')
  return {
    code: main?.exitCode ?? 1,
    isOutOfMemory,
    notStarted: isStartFailure ? said || 'the task was not started' : null,
    isOwn: task.stopCode === undefined || task.stopCode === 'EssentialContainerExited',
  }
}

/** Whether somebody has told it to end: it drains, or is about to. */
export function isLeavingTask({ desiredStatus, lastStatus, stopCode }: Task): boolean {
  if (lastStatus === 'STOPPED' || desiredStatus !== 'STOPPED') return false
  return stopCode !== 'EssentialContainerExited' && stopCode !== 'TaskFailedToStart'
}

/** Whether its process runs, or will. */
export function isUpTask({ desiredStatus, lastStatus }: Task): boolean {
  return desiredStatus !== 'STOPPED' && lastStatus !== 'STOPPED'
}

/** Gives a task whose process has been started, or never will be: what `TaskWatch.until` waits for. */
export function begunTask(task: Task | null): Task | null {
  return task && (isRunningTask(task) || endOfTask(task)) ? task : null
}

/** Whether its process has been started. One that ends without it says why when it has stopped. */
export function isRunningTask({ lastStatus }: Task): boolean {
  return lastStatus === 'RUNNING'
}

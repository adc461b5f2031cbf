import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Task } from '@aws-sdk/client-ecs'
import { appOwner } from '../../../domain/owner.ts'
import type { FoundGeneration, FoundTask } from '../look/found.ts'
import { chainsOf } from './chains.ts'
import { describeProcess } from './describe-process.ts'

const minute = 60_000

/** A task of a service that began at a minute, and crashed at another one. */
function taskOf(id: string, from: number, end?: { at: number; code?: number; why?: string }): FoundTask {
  const ended: Partial<Task> = end
    ? {
        desiredStatus: 'STOPPED',
        lastStatus: 'STOPPED',
        stopCode: 'EssentialContainerExited',
        stoppedAt: new Date(end.at * minute),
        containers: [{ name: 'main', exitCode: end.code ?? 1, reason: end.why }],
      }
    : { desiredStatus: 'RUNNING', lastStatus: 'RUNNING', containers: [{ name: 'main' }] }
  return {
    arn: `task/${id}`,
    taskId: id,
    process: `P${id}`,
    owner: appOwner('shop'),
    type: 'web',
    kind: 'process',
    release: 'R1',
    service: 'shop_web_G1',
    address: null,
    createdMs: from * minute,
    tags: { cpu: '256', memory: '1024' },
    task: { startedAt: new Date(from * minute), ...ended },
  }
}

const ids = (tasks: FoundTask[]) =>
  chainsOf(tasks).map(({ last, before }) => [...before, last].map(({ taskId }) => taskId).join(' '))

test('a task that began after the end of another stands in its place', () => {
  const one = [taskOf('A', 1, { at: 5 }), taskOf('B', 6, { at: 8 }), taskOf('C', 9)]
  assert.deepEqual(ids(one), ['A B C'])
  assert.deepEqual(ids([...one, taskOf('X', 2), taskOf('Y', 10)]), ['A B C', 'X', 'Y'])
})

test('a task that somebody stopped has no successor', () => {
  const stopped = taskOf('A', 1, { at: 5 })
  stopped.task.stopCode = 'ServiceSchedulerInitiated'
  stopped.task.stoppedReason = 'Scaling activity initiated by (deployment ecs-svc/1)'
  assert.deepEqual(ids([stopped, taskOf('B', 6)]), ['A', 'B'])
})

test('a copy says how those before it have ended', () => {
  const oom = { at: 5, code: 137, why: 'OutOfMemoryError: Container killed due to memory usage' }
  const [chain] = chainsOf([taskOf('A', 1, oom), taskOf('B', 6, { at: 8 }), taskOf('C', 9)])
  const known = { ...chain!, generation: null, definition: null, isVacant: false }
  const told = describeProcess(known)
  assert.deepEqual(
    [told.status, told.detail, told.restarts, told.exitCode, told.outOfMemory],
    ['running', 'running, crashed (1) ×2', 2, 1, 1],
  )
  const [vacant] = chainsOf([taskOf('A', 1, oom)])
  const waiting = describeProcess({ ...vacant!, generation: null, definition: null, isVacant: true })
  assert.deepEqual(
    [waiting.status, waiting.detail, waiting.ended],
    ['restarting', 'crashed (137, OOM)', null],
  )
})

test('a copy is starting until its generation is proved, and drains once it is left', () => {
  const statusOf = (state: string) => {
    const generation = { tags: { state } } as unknown as FoundGeneration
    const known = { last: taskOf('A', 1), before: [], generation, definition: null, isVacant: false }
    return describeProcess(known).status
  }
  assert.deepEqual(['proving', 'proved', 'leaving'].map(statusOf), ['starting', 'running', 'draining'])
})

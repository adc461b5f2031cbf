import type { ECS, Task } from '@aws-sdk/client-ecs'
import { abortable } from '../../../lib/deadline.ts'
import { pause } from '../../../lib/poll.ts'

/** Asks about tasks that somebody waits for: all of them in one call, once an interval. */
export interface TaskWatch {
  /**
   * Settles with what `pick` gives of a task, as soon as it is something.
   * @param pick given null when the task is not known any more
   */
  until<T>(taskArn: string, pick: (task: Task | null) => T | null, signal: AbortSignal): Promise<T>
}

/** DescribeTasks takes so many. */
const tasksOfCall = 100

interface Waiter {
  taskArn: string
  /** True when it has what it waits for. */
  see: (task: Task | null) => boolean
  fail: (error: unknown) => void
}

export function createTaskWatch(
  { ecs, cluster, intervalMs }: { ecs: ECS; cluster: string; intervalMs: number },
  lifetime: AbortSignal,
): TaskWatch {
  const waiters = new Set<Waiter>()
  let isRunning = false

  const lookOnce = async () => {
    const arns = [...new Set(Array.from(waiters, ({ taskArn }) => taskArn))]
    const asked = new Set(waiters)
    for (let at = 0; at < arns.length; at += tasksOfCall) {
      const some = arns.slice(at, at + tasksOfCall)
      const input = { cluster, tasks: some, include: ['TAGS' as const] }
      const { tasks = [] } = await ecs.describeTasks(input, { abortSignal: lifetime })
      const found = new Map(tasks.map((task) => [task.taskArn, task]))
      for (const waiter of asked) {
        if (!some.includes(waiter.taskArn)) continue
        if (waiter.see(found.get(waiter.taskArn) ?? null)) waiters.delete(waiter)
      }
    }
  }

  const run = async () => {
    while (waiters.size > 0 && !lifetime.aborted) {
      try {
        await lookOnce()
        await pause(intervalMs, lifetime)
      } catch (error) {
        for (const waiter of waiters) waiter.fail(error)
        waiters.clear()
      }
    }
    isRunning = false
  }

  return {
    async until<T>(taskArn: string, pick: (task: Task | null) => T | null, signal: AbortSignal): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const waiter: Waiter = {
        taskArn,
        fail: reject,
        see(task) {
          const picked = pick(task)
          if (picked !== null) resolve(picked)
          return picked !== null
        },
      }
      waiters.add(waiter)
      if (!isRunning) {
        isRunning = true
        void run()
      }
      try {
        return await abortable(promise, signal)
      } finally {
        waiters.delete(waiter)
      }
    },
  }
}

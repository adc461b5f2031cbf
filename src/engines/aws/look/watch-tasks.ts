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

interface Watched {
  ecs: ECS
  cluster: string
  intervalMs: number
}

export function createTaskWatch(watched: Watched, lifetime: AbortSignal): TaskWatch {
  const waiters = new Set<Waiter>()
  let isRunning = false

  const run = async () => {
    while (waiters.size > 0 && !lifetime.aborted) {
      try {
        await lookOnce(watched, waiters, lifetime)
        await pause(watched.intervalMs, lifetime)
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
      const see = (task: Task | null) => {
        const picked = pick(task)
        if (picked !== null) resolve(picked)
        return picked !== null
      }
      const waiter: Waiter = { taskArn, fail: reject, see }
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

/** Tells everybody who waits how their tasks are now. */
async function lookOnce(
  { ecs, cluster }: Watched,
  waiters: Set<Waiter>,
  abortSignal: AbortSignal,
): Promise<void> {
  const asked = [...waiters]
  const arns = [...new Set(asked.map(({ taskArn }) => taskArn))]
  for (let at = 0; at < arns.length; at += tasksOfCall) {
    const some = arns.slice(at, at + tasksOfCall)
    const { tasks = [] } = await ecs.describeTasks(
      { cluster, tasks: some, include: ['TAGS'] },
      { abortSignal },
    )
    const found = new Map(tasks.map((task) => [task.taskArn, task]))
    for (const waiter of asked) {
      if (!some.includes(waiter.taskArn)) continue
      if (waiter.see(found.get(waiter.taskArn) ?? null)) waiters.delete(waiter)
    }
  }
}

import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { isUpTask } from '../look/task-end.ts'
import { allTasks } from '../look/service-tasks.ts'
import type { AwsParts } from '../parts.ts'

/** UpdateTaskProtection takes so many (D). */
const tasksOfCall = 10
/** It ends by itself should nobody end it. */
const protectedMinutes = 60
/** Said of tasks that have ended by now: there is nothing to protect any more. */
const endedReasons = new Set(['MISSING', 'TASK_NOT_VALID'])

/** Has ECS stop none of these tasks of services when it is to keep fewer, or any of them again. Safe to repeat. */
export async function protectTasks(
  { clients, places }: Pick<AwsParts, 'clients' | 'places'>,
  tasks: readonly string[],
  protectionEnabled: boolean,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  for (let at = 0; at < tasks.length; at += tasksOfCall) {
    const input = {
      cluster: places.cluster,
      tasks: tasks.slice(at, at + tasksOfCall),
      protectionEnabled,
      ...(protectionEnabled && { expiresInMinutes: protectedMinutes }),
    }
    const { failures = [] } = await clients.ecs.updateTaskProtection(input, { abortSignal: signal })
    const failed = failures.find(({ reason = '' }) => !endedReasons.has(reason))
    if (!failed) continue
    const what = protectionEnabled ? 'keep' : 'let go of'
    const why = failed.detail ?? failed.reason ?? 'no reason'
    throw new RackError('engine-failed', `ECS does not ${what} the task ${failed.arn}: ${why}`)
  }
}

/** Of a service that leaves: a daemon that died in between may have left some of its tasks protected. */
export async function unprotectAll(
  parts: AwsParts,
  serviceName: string,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const found = await allTasks(parts, { serviceName }, control)
  const tasks = found.filter(({ task }) => isUpTask(task)).map(({ arn }) => arn)
  await protectTasks(parts, tasks, false, control)
}

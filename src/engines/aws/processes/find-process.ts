import { RackError } from '../../../domain/error.ts'
import { mainContainer } from '../definition/task-definition.ts'
import type { Place } from '../exec/execute-command.ts'
import { findTasks, type FoundTask } from '../look/found.ts'
import { endOfTask } from '../look/task-end.ts'
import type { AwsParts } from '../parts.ts'

/** @throws not-found */
export async function findProcess(
  parts: AwsParts,
  id: string,
  control: { signal: AbortSignal },
): Promise<FoundTask> {
  const isIt = (task: FoundTask) => task.process === id
  const found =
    (await findTasks(parts, {}, control)).find(isIt) ??
    (await findTasks(parts, { isStopped: true }, control)).find(isIt)
  if (found) return found
  throw new RackError('not-found', `no process ${id}`, { hint: 'List what runs with: rack ps' })
}

/** Where a command is run beside a process. @throws not-found; conflict when it does not run */
export async function placeOf(parts: AwsParts, id: string, control: { signal: AbortSignal }): Promise<Place> {
  const { arn, task } = await findProcess(parts, id, control)
  // One that drains runs still: its task is only told that it shall stop.
  if (endOfTask(task) !== null) {
    throw new RackError('conflict', `the process ${id} does not run`, {
      hint: 'List what runs with: rack ps',
    })
  }
  return { taskArn: arn, container: mainContainer, process: id }
}

import type { ListTasksCommandInput } from '@aws-sdk/client-ecs'
import type { Control } from '../../../domain/control.ts'
import type { AwsParts } from '../parts.ts'
import { describeTasks, pages, type FoundTask } from './found.ts'

/** By what tasks are looked for: the service or the family that they are of, or who started them. */
export type TaskFilter = { serviceName: string } | { family: string } | { startedBy: string }

/** Those that run, and those that were stopped within the hour where `isStopped`. */
async function listTaskArns(
  { clients, places }: AwsParts,
  filter: TaskFilter,
  isStopped: boolean,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  // Who asks by whom they were started may ask for nothing else.
  const status =
    'startedBy' in filter ? {} : { desiredStatus: isStopped ? ('STOPPED' as const) : ('RUNNING' as const) }
  const list = async (nextToken?: string) => {
    const input: ListTasksCommandInput = {
      cluster: places.cluster,
      ...filter,
      ...status,
      ...(nextToken && { nextToken }),
    }
    const answer = await clients.ecs.listTasks(input, { abortSignal: signal })
    return { items: answer.taskArns ?? [], nextToken: answer.nextToken }
  }
  return await Array.fromAsync(pages(list))
}

/** All tasks of a service or a family, those that end or have ended too. */
export async function allTasks(
  parts: AwsParts,
  filter: TaskFilter,
  control: Pick<Control, 'signal'>,
): Promise<FoundTask[]> {
  const [running, stopped] = await Promise.all([
    listTaskArns(parts, filter, false, control),
    'startedBy' in filter ? [] : listTaskArns(parts, filter, true, control),
  ])
  return await describeTasks(parts, [...new Set([...running, ...stopped])], control)
}

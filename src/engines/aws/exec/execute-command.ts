import { RackError } from '../../../domain/error.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { until } from '../../../lib/poll.ts'
import type { AwsParts } from '../parts.ts'
import { toolPath } from '../tool-orders.ts'

/** A container of a task that runs. */
export interface Place {
  taskArn: string
  /** `main`, unless it is a task of the rack's own. */
  container: string
  /** Its id, for people. */
  process: string
  /** Where the tool lies there; as `init` has put it when absent. */
  tool?: string
}

/** The agent of a new task comes up some seconds after its process. */
const agentMs = 60_000
const askAgainMs = 1000

/** Starts a verb of the tool as a session. @throws conflict when the process does not run */
export async function executeCommand(
  { clients, places }: Pick<AwsParts, 'clients' | 'places'>,
  { taskArn, container, process: id, tool = toolPath }: Place,
  verb: string,
  { signal }: { signal: AbortSignal },
): Promise<{ streamUrl: string; tokenValue: string }> {
  const input = {
    cluster: places.cluster,
    task: taskArn,
    container,
    interactive: true,
    command: `${tool} ${verb}`,
  }
  const ask = async () => {
    try {
      const { session } = await clients.ecs.executeCommand(input, { abortSignal: signal })
      return { streamUrl: session?.streamUrl ?? '', tokenValue: session?.tokenValue ?? '' }
    } catch (error) {
      if (!isNotYet(error)) throw error
      await refuseStopped({ clients, places }, taskArn, id, signal)
      return null
    }
  }
  return await until(ask, {
    deadlineMs: agentMs,
    intervalMs: askAgainMs,
    what: `the agent of ${id}`,
    signal,
  })
}

/** As long as the agent of a task does not run, and once it does not any more. */
function isNotYet(error: unknown): boolean {
  return isAwsError(error, 'TargetNotConnectedException', 'InvalidParameterException')
}

async function refuseStopped(
  { clients, places }: Pick<AwsParts, 'clients' | 'places'>,
  taskArn: string,
  id: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const { tasks: [task] = [] } = await clients.ecs.describeTasks(
    { cluster: places.cluster, tasks: [taskArn] },
    { abortSignal },
  )
  if (task && task.desiredStatus !== 'STOPPED') return
  throw new RackError('conflict', `the process ${id} does not run`, { hint: 'List what runs with: rack ps' })
}

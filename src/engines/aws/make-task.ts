import type { RunTaskCommandInput } from '@aws-sdk/client-ecs'
import { networkOf } from './definition/service-input.ts'
import type { AppPlaces } from './definition/task-definition.ts'
import type { AwsParts } from './parts.ts'
import { untilKnown } from './until-known.ts'

interface TaskOrder extends Pick<RunTaskCommandInput, 'group' | 'startedBy' | 'overrides' | 'tags'> {
  app: AppPlaces
  /** ARN or family. */
  definition: string
}

/** Has ECS make a task that is of no service, and carries commands: gives its ARN, or why there is none. */
export async function makeTask(
  parts: AwsParts,
  { app, definition, ...more }: TaskOrder,
  signal: AbortSignal,
): Promise<{ arn: string } | { arn: null; reason: string }> {
  const { clients, places } = parts
  const input: RunTaskCommandInput = {
    cluster: places.cluster,
    taskDefinition: definition,
    count: 1,
    capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    networkConfiguration: networkOf({ places, app }),
    enableExecuteCommand: true,
    ...more,
  }
  const run = async () => await clients.ecs.runTask(input, { abortSignal: signal })
  const { tasks = [], failures = [] } = await untilKnown(parts, run, signal)
  const arn = tasks[0]?.taskArn
  return arn ? { arn } : { arn: null, reason: failures[0]?.reason ?? 'ECS has started nothing' }
}

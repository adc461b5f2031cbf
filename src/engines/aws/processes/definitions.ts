import type { TaskDefinition } from '@aws-sdk/client-ecs'
import { isAwsError } from '../../../aws/errors.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import type { AwsParts } from '../parts.ts'

/** Definitions of tasks never change: each is asked for once, and kept while tasks of it are seen. */
export interface Definitions {
  of(arns: readonly string[], control: { signal: AbortSignal }): Promise<ReadonlyMap<string, TaskDefinition>>
}

const mostKept = 2000

export function createDefinitions({ clients }: Pick<AwsParts, 'clients'>): Definitions {
  const kept = new Map<string, TaskDefinition>()
  const ask = async (taskDefinition: string, abortSignal: AbortSignal) => {
    try {
      const answer = await clients.ecs.describeTaskDefinition({ taskDefinition }, { abortSignal })
      if (answer.taskDefinition) kept.set(taskDefinition, answer.taskDefinition)
    } catch (error) {
      // It is gone with what was made from it.
      if (!isAwsError(error, 'ClientException', 'InvalidParameterException')) throw error
    }
  }
  return {
    async of(arns, { signal }) {
      const missing = [...new Set(arns)].filter((arn) => !kept.has(arn))
      await mapBounded(missing, 4, async (arn) => await ask(arn, signal), signal)
      const [oldest] = kept.keys()
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
      return kept
    },
  }
}

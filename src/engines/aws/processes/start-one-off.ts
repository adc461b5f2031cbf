import type { Control } from '../../../domain/control.ts'
import type { OneOff } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { mountedVolumes } from '../../../domain/volume.ts'
import type { AppPlaces } from '../definition/task-definition.ts'
import { describeTasks, type FoundTask } from '../look/found.ts'
import { begunTask, endOfTask } from '../look/task-end.ts'
import { makeTask } from '../make-task.ts'
import { ecsTags, ownerTag, ownerWord, taskGroup } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { volumeTags } from '../volumes/volume-tags.ts'

/** A one-off, with what it is started from. */
export interface OneOffRun {
  parts: AwsParts
  oneOff: OneOff
  app: AppPlaces
  /** ARN. */
  definition: string
}

export const leaveMs = 60_000

/** Settles when its process runs, or has ended already. */
export async function startTask(run: OneOffRun, { signal }: Control): Promise<FoundTask> {
  const { parts, oneOff, app, definition } = run
  const { owner, process: plan, kind, operation, release } = oneOff
  const volumes = mountedVolumes(plan)
  const made = await makeTask(
    parts,
    {
      app,
      definition,
      group: taskGroup(kind, owner, plan.type),
      startedBy: ownerWord(owner),
      tags: ecsTags({
        rack: parts.rack,
        owner: ownerTag(owner),
        type: plan.type,
        kind,
        release,
        operation,
        cpu: String(plan.cpuUnits),
        memory: String(plan.memoryBytes),
        created: new Date().toISOString(),
        ...(oneOff.timeoutMs !== null && { timeout: String(oneOff.timeoutMs) }),
        ...volumeTags(plan.type, volumes),
      }),
    },
    signal,
  )
  if (made.arn === null) throw notStarted(plan, made.reason)
  const { arn } = made
  parts.madeTasks.add(arn)
  try {
    return await begun(run, arn, signal)
  } catch (error) {
    await stopTask(parts, arn, 'nobody waits for it any more', AbortSignal.timeout(leaveMs))
    throw error
  } finally {
    parts.madeTasks.delete(arn)
  }
}

async function begun({ parts, oneOff }: OneOffRun, arn: string, signal: AbortSignal): Promise<FoundTask> {
  const end = endOfTask(await parts.tasks.until(arn, begunTask, signal))
  if (end?.notStarted) throw notStarted(oneOff.process, end.notStarted)
  const [found] = await describeTasks(parts, [arn], { signal })
  return found!
}

function notStarted({ type }: ProcessPlan, reason: string): RackError {
  const code = reason.includes('CannotPull') ? 'image-unavailable' : 'engine-failed'
  return new RackError(code, `a one-off of ${type} was not started: ${reason}`)
}

/** As its definition says: told to end, and after its grace ended. Safe to repeat. */
export async function stopTask(
  { clients, places }: AwsParts,
  arn: string,
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  await clients.ecs.stopTask({ cluster: places.cluster, task: arn, reason }, { abortSignal: signal })
}

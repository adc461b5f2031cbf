import type { Control } from '../../../domain/control.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { CopyEnd, ObservedCopy, ProbeResult, Runtime } from '../../../rollout/runtime.ts'
import { probeServer } from '../../../lib/probe-server.ts'
import { awaitChange } from '../inside/records.ts'
import { lastLines } from '../look/last-lines.ts'
import { endOfTask } from '../look/task-end.ts'
import { mainContainer } from '../definition/task-definition.ts'
import { ecsTags, insideName, membersName } from '../names.ts'
import { noteCompleted } from '../jobs/notes.ts'
import { copyOf, observed, type OwnCopy, type OwnRollout } from './own.ts'

type ProvingVerbs = Pick<Runtime, 'probe' | 'check' | 'ended' | 'lastLines' | 'name' | 'settle'>

export function provingVerbs(own: OwnRollout): ProvingVerbs {
  const { parts } = own
  return {
    async probe(copy, target, { signal }) {
      const { address } = copyOf(own, copy)
      if (address === null) return { isGood: false, answered: false, text: 'the task has no address yet' }
      return await probeServer({ address, ...target }, signal)
    },
    check: async (copy, _command, _timeoutMs, control) => await checkOf(own, copyOf(own, copy), control),
    ended: async (copy, control) => await endOf(own, copyOf(own, copy), control),
    lastLines: async (copy, control) => {
      const { task, type, release } = copyOf(own, copy)
      return task === null ? [] : await lastLines(parts, { owner: own.owner, type, release, task }, control)
    },
    name: async (copy, names, control) => await giveNames(own, copyOf(own, copy), names, control),
    settle: async (copy, plan, control) => await settle(own, copyOf(own, copy), plan, control),
  }
}

/** ECS runs the check inside, and says what it saw. */
async function checkOf({ parts }: OwnRollout, { task }: OwnCopy, { signal }: Control): Promise<ProbeResult> {
  if (task === null) return { isGood: false, answered: false, text: 'there is no task' }
  const found = await parts.tasks.until(task, (each) => each ?? {}, signal)
  const main =
    'containers' in found ? found.containers?.find(({ name }) => name === mainContainer) : undefined
  const health = main?.healthStatus ?? 'UNKNOWN'
  const text = health === 'UNHEALTHY' ? 'the health check fails' : 'the health check has not passed yet'
  return { isGood: health === 'HEALTHY', answered: health !== 'UNKNOWN', text }
}

async function endOf({ parts }: OwnRollout, copy: OwnCopy, { signal }: Control): Promise<CopyEnd> {
  if (copy.task === null) return { code: copy.exitCode ?? 1, isOutOfMemory: false }
  // One that is not known any more has ended long ago.
  const gone = { code: copy.exitCode ?? 1, isOutOfMemory: false }
  const { code, isOutOfMemory } = await parts.tasks.until(
    copy.task,
    (task) => (task ? endOfTask(task) : gone),
    signal,
  )
  return { code, isOutOfMemory }
}

/**
 * Names are records of a whole type. Those that no older generation bears lead here already, and are waited for; those
 * that one bears follow when traffic moves, all in one change.
 */
async function giveNames(own: OwnRollout, copy: OwnCopy, names: string[], control: Control): Promise<void> {
  const { parts, owner, records } = own
  const { generation } = copy
  copy.names = names
  if (!generation || own.naming === null) return
  const target = membersName(parts.rack, generation)
  const isHere = names.some((name) => records.get(insideName(parts.rack, owner, name)) === target)
  if (isHere) await awaitChange(parts, own.naming, control)
}

async function settle(
  own: OwnRollout,
  copy: OwnCopy,
  plan: ProcessPlan,
  control: Control,
): Promise<ObservedCopy> {
  await lookAgain(own, copy, control)
  if (copy.state === 'ended') {
    const isGood = copy.exitCode === 0 && copy.endedByItself
    if (copy.mark !== 'completed' && isGood && copy.generation === null && plan.restart !== 'always') {
      await noteCompleted(own.parts, own.owner, copy, control)
      copy.mark = 'completed'
    }
    return observed(copy)
  }
  await markProved(own, copy, control)
  copy.mark = 'proved'
  return observed(copy)
}

async function lookAgain({ parts }: OwnRollout, copy: OwnCopy, { signal }: Control): Promise<void> {
  if (copy.task === null) return
  const task = await parts.tasks.until(copy.task, (each) => each ?? {}, signal)
  if (!('taskArn' in task)) return
  const end = endOfTask(task)
  if (!end) return
  copy.state = 'ended'
  copy.exitCode = end.code
  copy.endedByItself = end.isOwn
}

/** The mark stands at the service, where all copies of the generation get it from; at the task of what runs by itself. */
async function markProved({ parts }: OwnRollout, copy: OwnCopy, { signal }: Control): Promise<void> {
  const { generation, task } = copy
  const { clients } = parts
  const tags = ecsTags({ state: 'proved' })
  if (!generation) {
    if (task !== null) await clients.ecs.tagResource({ resourceArn: task, tags }, { abortSignal: signal })
    return
  }
  if (generation.state === 'proved') return
  generation.state = 'proved'
  await clients.ecs.tagResource({ resourceArn: generation.arn, tags }, { abortSignal: signal })
}

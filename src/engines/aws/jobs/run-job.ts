import type { Control } from '../../../domain/control.ts'
import type { CopyOrder } from '../../../rollout/runtime.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { mainContainer } from '../definition/task-definition.ts'
import { describeTasks, type FoundTask } from '../look/found.ts'
import { mayPass, tellPassing } from '../look/passing-failure.ts'
import { begunTask, endOfTask } from '../look/task-end.ts'
import { makeTask } from '../make-task.ts'
import { ecsTags, generationName, ownerWord, taskGroup, type GenerationName } from '../names.ts'
import { commandName, jobName } from './jobs.ts'
import { makeDefinition, tagsOf } from '../deploy/make-parts.ts'
import type { OwnCopy, OwnRollout } from '../deploy/own.ts'
import { notStarted } from '../deploy/start-copies.ts'

/** Runs a copy that is no server: ECS starts it once, and nobody starts it again. */
export async function runJob(own: OwnRollout, order: CopyOrder, control: Control): Promise<OwnCopy> {
  const generation = jobName({ ...madeFrom(own, order), identity: order.identity })
  return await runTask(own, { order, generation, kind: 'process' }, control)
}

/** Starts the release command of a type. */
export async function runCommand(own: OwnRollout, order: CopyOrder, control: Control): Promise<OwnCopy> {
  const generation = commandName(madeFrom(own, order))
  const command = order.process.releaseCommand ?? []
  return await runTask(own, { order, generation, kind: 'release-command', command }, control)
}

function madeFrom({ parts, owner }: OwnRollout, { plan, process: { type } }: CopyOrder) {
  return { rack: parts.rack, owner, type, release: plan.release }
}

interface Job {
  order: CopyOrder
  generation: GenerationName
  kind: 'process' | 'release-command'
  command?: string[]
}

async function runTask(own: OwnRollout, job: Job, control: Control): Promise<OwnCopy> {
  const { preparing } = own.parts
  const name = generationName(job.generation)
  preparing.add(name)
  try {
    return await startTask(own, job, control)
  } finally {
    preparing.delete(name)
  }
}

async function startTask(own: OwnRollout, job: Job, control: Control): Promise<OwnCopy> {
  const { parts, app, owner } = own
  const { order, kind, command } = job
  const { signal } = control
  const definition = await findOrMakeDefinition(own, job, control)
  for (let again = 0; ; again++) {
    const made = await makeTask(
      parts,
      {
        app,
        definition,
        group: taskGroup(kind, owner, order.process.type),
        // Those of an owner are found by it.
        startedBy: ownerWord(owner),
        ...(command && { overrides: { containerOverrides: [{ name: mainContainer, command }] } }),
        tags: ecsTags(tagsOf(own, order, { kind, state: 'proving' })),
      },
      signal,
    )
    if (made.arn === null) throw notStarted(order.process.type, '', made.reason)
    const copy = await takeJob(own, job, { arn: made.arn, again }, control)
    if (copy) return copy
  }
}

/** Null of one that was not started, where the next one may be. */
async function takeJob(
  own: OwnRollout,
  { order, kind }: Job,
  { arn, again }: { arn: string; again: number },
  control: Control,
): Promise<OwnCopy | null> {
  const { parts } = own
  const { type } = order.process
  const { signal } = control
  parts.madeTasks.add(arn)
  try {
    const words = endOfTask(await parts.tasks.until(arn, begunTask, signal))?.notStarted ?? null
    if (mayPass(words, again)) {
      tellPassing(type, words, control)
      return null
    }
    const [found] = await describeTasks(parts, [arn], { signal })
    const copy = copyOfJob(order, found!, kind)
    own.copies.set(copy.process, copy)
    if (words !== null) throw notStarted(type, copy.process, words)
    return copy
  } finally {
    parts.madeTasks.delete(arn)
  }
}

/** A job of an identity is made from one definition in a release, however often it runs. */
async function findOrMakeDefinition(
  own: OwnRollout,
  { generation, order }: Job,
  control: Control,
): Promise<string> {
  const family = generationName(generation)
  try {
    const input = { taskDefinition: family }
    const { taskDefinition } = await own.parts.clients.ecs.describeTaskDefinition(input, {
      abortSignal: control.signal,
    })
    return taskDefinition!.taskDefinitionArn!
  } catch (error) {
    if (!isAwsError(error, 'ClientException')) throw error
    return await makeDefinition(own, { generation, order }, control)
  }
}

function copyOfJob(order: CopyOrder, found: FoundTask, kind: 'process' | 'release-command'): OwnCopy {
  const end = endOfTask(found.task)
  return {
    process: found.process,
    type: order.process.type,
    kind,
    release: order.plan.release,
    identity: order.identity,
    createdMs: Date.parse(found.tags.created ?? '') || Date.now(),
    generation: null,
    task: found.arn,
    address: found.address,
    state: end ? 'ended' : 'running',
    exitCode: end?.code ?? null,
    endedByItself: end?.isOwn ?? false,
    mark: 'unproved',
    names: order.process.aliases,
    drainMs: 0,
    volumes: [],
  }
}

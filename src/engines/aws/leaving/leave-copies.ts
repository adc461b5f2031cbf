import type { Task } from '@aws-sdk/client-ecs'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { Runtime } from '../../../rollout/runtime.ts'
import { startDeadline } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import { describeTasks } from '../look/found.ts'
import { ecsTags } from '../names.ts'
import {
  byGeneration,
  copiesOf,
  copyOf,
  isKept,
  keepsPlace,
  type Generation,
  type OwnCopy,
  type OwnRollout,
} from '../deploy/own.ts'
import { commandName } from '../jobs/jobs.ts'
import { forgetCompleted } from '../jobs/notes.ts'
import { shareOut } from '../routes/share-out.ts'
import type { AwsParts } from '../parts.ts'
import { protectTasks } from './protect-tasks.ts'
import { reapGeneration } from './reap.ts'
import { removeDefinition, removeGeneration } from './remove-parts.ts'
import { setDesired } from '../deploy/set-desired.ts'
import { removePrepared } from '../deploy/start-copies.ts'

type LeavingVerbs = Pick<Runtime, 'park' | 'vacate' | 'retire' | 'remove'>

/** Longer than any drain and any stop of ECS. */
const leaveDeadlineMs = 3_900_000
/** ECS chooses in seconds. */
const toldDeadlineMs = 100_000
const unprotectMs = 30_000

export function leavingVerbs(own: OwnRollout): LeavingVerbs {
  const all = (copies: { process: string }[]) => copies.map((copy) => copyOf(own, copy)).filter(Boolean)
  return {
    async park(copies, _gap, control) {
      const groups = byGeneration(all(copies))
      await shareOut(own, new Set(all(copies)), control)
      await Promise.all(
        Array.from(groups, async ([generation, some]) => await parkCopies(own, generation, some, control)),
      )
    },
    vacate: async (copies, control) => await awaitEnd(own, all(copies), control),
    async retire(copies, control) {
      for (const copy of all(copies)) if (!copy.generation) await removeJob(own, copy, control)
      await retireAll(own, byGeneration(all(copies)), control)
    },
    async remove(copies, control) {
      const leaving = all(copies)
      for (const copy of leaving) if (!copy.generation) await removeJob(own, copy, control)
      for (const [generation, some] of byGeneration(leaving))
        await removeCopies(own, generation, some, control)
    },
  }
}

/** They are counted in the tag before they are stopped: whoever finds them gone must know by whom. */
async function parkCopies(
  own: OwnRollout,
  generation: Generation,
  copies: OwnCopy[],
  control: Control,
): Promise<void> {
  const parked = [...generation.parked, ...copies.map((copy) => copy.process)]
  await tagGeneration(own, generation, { parked: String(parked.length) }, control)
  generation.parked = parked
  await takeFrom(own, generation, copies, control)
  await awaitEnd(own, copies, control)
  for (const copy of copies) Object.assign(copy, { state: 'ended', mark: 'parked', names: [], task: null })
}

/** Of a type that nothing is left of, the copies leave after those of the others: these may still call them. */
async function retireAll(
  own: OwnRollout,
  groups: Map<Generation, OwnCopy[]>,
  control: Control,
): Promise<void> {
  const whole: Generation[] = []
  for (const [generation, copies] of groups) {
    const stay = copiesOf(own, generation).filter(
      (copy) => !copies.includes(copy) && copy.mark !== 'draining',
    )
    const isKeptEmpty = keepsPlace(own, generation.type) && isLatest(own, generation)
    if (stay.length > 0 || isKeptEmpty) await retireCopies(own, generation, copies, control)
    else whole.push(generation)
  }
  for (const generation of whole) await markLeaving(own, generation, control)
  const staying = new Set(
    [...own.generations.values()].filter(({ state }) => state === 'proved').map(({ type }) => type),
  )
  const callers = whole.filter(({ type }) => staying.has(type))
  for (const generation of whole) {
    const isDropped = !staying.has(generation.type)
    if (!isDropped) await setDesired(own, generation, 0, control)
    reapGeneration(own.parts, generation, isDropped ? callers : [])
  }
}

function isLatest({ generations }: OwnRollout, generation: Generation): boolean {
  const others = [...generations.values()].filter(
    ({ type, state }) => type === generation.type && state === 'proved',
  )
  return others.every(({ createdMs }) => createdMs <= generation.createdMs)
}

/** Generations that kept the place of a type while nobody of it ran, and have a successor now or none to wait for. */
export async function retireEmpty(own: OwnRollout, control: Control): Promise<void> {
  const proved = [...own.generations.values()].filter(({ state, isMade }) => isMade && state === 'proved')
  const empty = proved.filter(({ desired, parked }) => desired === 0 && parked.length === 0)
  for (const generation of empty) {
    if (keepsPlace(own, generation.type) && isLatest(own, generation)) continue
    await markLeaving(own, generation, control)
    reapGeneration(own.parts, generation)
  }
}

async function retireCopies(
  own: OwnRollout,
  generation: Generation,
  copies: OwnCopy[],
  control: Control,
): Promise<void> {
  const parked = new Set(copies.map((copy) => copy.process))
  generation.parked = generation.parked.filter((each) => !parked.has(each))
  const running = copies.filter(isKept)
  await tagGeneration(own, generation, { parked: String(generation.parked.length) }, control)
  await takeFrom(own, generation, running, control)
  for (const copy of running) copy.mark = 'draining'
}

/** Whoever finds it takes it to its end. */
async function markLeaving(own: OwnRollout, generation: Generation, control: Control): Promise<void> {
  await tagGeneration(own, generation, { state: 'leaving', parked: '0' }, control)
  generation.state = 'leaving'
  generation.parked = []
  for (const copy of copiesOf(own, generation)) copy.mark = 'draining'
}

async function removeCopies(
  own: OwnRollout,
  generation: Generation,
  copies: OwnCopy[],
  control: Control,
): Promise<void> {
  if (!generation.isMade) return await removePrepared(own, generation, control)
  const { parts } = own
  const gone = new Set(copies)
  for (const { task } of copies) if (task !== null) parts.endedTasks.add(task)
  for (const { process: processId } of copies) own.copies.delete(processId)
  const stay = copiesOf(own, generation).filter((copy) => !gone.has(copy) && copy.mark !== 'draining')
  if (stay.length > 0) return await takeFrom(own, generation, copies, control)
  own.generations.delete(generation.name)
  await removeGeneration(parts, generation, control)
}

/** ECS stops what is not protected: so the others are, until it has chosen. */
async function takeFrom(
  own: OwnRollout,
  generation: Generation,
  copies: OwnCopy[],
  control: Control,
): Promise<void> {
  const { parts } = own
  const leaving = new Set(copies)
  const staying = copiesOf(own, generation).filter((copy) => !leaving.has(copy) && isKept(copy))
  const protectedTasks = tasksOf(staying)
  // A daemon that died here may have left some of them protected.
  await protectTasks(parts, tasksOf(copies), false, control)
  try {
    await protectTasks(parts, protectedTasks, true, control)
    await setDesired(own, generation, staying.length, control)
    if (protectedTasks.length > 0) await awaitTold(own, generation, copies, control)
  } finally {
    await unprotect(parts, protectedTasks)
  }
}

/** Whoever has ended the rollout: what is left protected would not leave when its turn comes. */
async function unprotect(parts: AwsParts, tasks: string[]): Promise<void> {
  try {
    await protectTasks(parts, tasks, false, { signal: AbortSignal.timeout(unprotectMs) })
  } catch (error) {
    // It is repeated when they leave.
    parts.onTrouble(error)
  }
}

/** Settles when ECS has told them to end. */
async function awaitTold(
  { parts }: OwnRollout,
  { type }: Generation,
  copies: OwnCopy[],
  control: Control,
): Promise<void> {
  const what = `copies of ${type} to be told to end`
  const reason = () => new RackError('engine-failed', `ECS takes too long: it was waited for ${what}`)
  using deadline = startDeadline({ deadlineMs: toldDeadlineMs, what, signal: control.signal, reason })
  await Promise.all(
    tasksOf(copies).map(async (arn) => {
      const isTold = (task: Task | null) => (task?.desiredStatus === 'RUNNING' ? null : true)
      await parts.tasks.until(arn, isTold, deadline.signal)
    }),
  )
}

function tasksOf(copies: OwnCopy[]): string[] {
  return copies.flatMap(({ task }) => task ?? [])
}

async function awaitEnd({ parts }: OwnRollout, copies: OwnCopy[], control: Control): Promise<void> {
  await awaitStopped(parts, tasksOf(copies), control)
}

/** Settles when tasks have stopped, drained and all. */
export async function awaitStopped(
  parts: AwsParts,
  arns: string[],
  control: Pick<Control, 'signal'>,
): Promise<void> {
  if (arns.length === 0) return
  const areGone = async (signal: AbortSignal) => {
    const found = await describeTasks(parts, arns, { signal })
    return found.every(({ task }) => task.lastStatus === 'STOPPED')
  }
  const what = 'copies to leave'
  const { tasks: intervalMs } = parts.intervals
  await until(areGone, { intervalMs, deadlineMs: leaveDeadlineMs, what, signal: control.signal })
}

async function tagGeneration(
  { parts }: OwnRollout,
  { arn }: Generation,
  values: Parameters<typeof ecsTags>[0],
  { signal }: Control,
): Promise<void> {
  await parts.clients.ecs.tagResource({ resourceArn: arn, tags: ecsTags(values) }, { abortSignal: signal })
}

async function stopTask({ parts }: OwnRollout, copy: OwnCopy, { signal }: Control): Promise<void> {
  if (copy.task === null || copy.state === 'ended') return
  parts.endedTasks.add(copy.task)
  const input = { cluster: parts.places.cluster, task: copy.task, reason: 'the rack has ended it' }
  await parts.clients.ecs.stopTask(input, { abortSignal: signal })
}

/** A job or a release command that nobody waits for any more. */
async function removeJob(own: OwnRollout, copy: OwnCopy, control: Control): Promise<void> {
  const { parts, owner } = own
  await stopTask(own, copy, control)
  if (copy.task !== null) parts.endedTasks.add(copy.task)
  own.copies.delete(copy.process)
  if (copy.mark === 'completed') await forgetCompleted(parts, owner, copy, control)
  if (copy.kind !== 'release-command') return
  const { type, release } = copy
  const generation = commandName({ rack: parts.rack, owner, type, release })
  parts.behind(async (signal) => await removeDefinition(parts, generation, { signal }))
}

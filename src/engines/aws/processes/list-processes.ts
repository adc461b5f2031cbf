import type { Control } from '../../../domain/control.ts'
import { compareOwners } from '../../../domain/owner.ts'
import type { Process, ProcessFilter } from '../../../domain/process.ts'
import { findGenerations, findTasks, type FoundGeneration, type FoundTask } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { chainsOf, endedByItself, type Chain } from './chains.ts'
import type { Definitions } from './definitions.ts'
import { describeProcess, type KnownTask } from './describe-process.ts'
import { sampleUsage } from './read-usage.ts'

/** The processes that the filter picks, by owner, type and age. */
export async function listProcesses(
  parts: AwsParts,
  definitions: Definitions,
  filter: ProcessFilter,
  control: Control,
): Promise<Process[]> {
  const known = (await findKnown(parts, filter, control)).filter((each) => isPicked(each, filter))
  const found = await definitions.of(
    known.flatMap(({ last }) => last.task.taskDefinitionArn ?? []),
    control,
  )
  const sorted = known.toSorted(
    ({ last: a }, { last: b }) =>
      compareOwners(a.owner, b.owner) || compare(a.type, b.type) || a.createdMs - b.createdMs,
  )
  const processes = sorted.map((each) =>
    describeProcess({ ...each, definition: found.get(each.last.task.taskDefinitionArn ?? '') ?? null }),
  )
  return filter.stats
    ? await sampleUsage(
        parts,
        processes,
        sorted.map(({ last }) => last),
        control,
      )
    : processes
}

/** All tasks that are not gone for good, and those in whose places ECS is to start another one. */
export async function findKnown(
  parts: AwsParts,
  { owner }: Pick<ProcessFilter, 'owner'>,
  control: { signal: AbortSignal },
): Promise<KnownTask[]> {
  const of = owner ? { owner } : {}
  const [generations, running, stopped] = await Promise.all([
    findGenerations(parts, of, control),
    findTasks(parts, of, control),
    findTasks(parts, { ...of, isStopped: true }, control),
  ])
  const all = new Map([...running, ...stopped].map((task) => [task.arn, task]))
  // What the rollout has let go is gone for everybody, while ECS still clears it away.
  const tasks = [...all.values()].filter(({ arn }) => !parts.endedTasks.has(arn))
  const alone = tasks.filter(({ service }) => service === null)
  const active = generations.filter(({ service }) => service.status === 'ACTIVE')
  return [
    ...alone.map((last) => ({ last, before: [], generation: null, definition: null, isVacant: false })),
    ...active.flatMap((generation) => copiesOf(generation, tasks)),
  ]
}

/** The copies of a generation; what its service has let go is none. */
function copiesOf(generation: FoundGeneration, tasks: FoundTask[]): KnownTask[] {
  const chains = chainsOf(tasks.filter(({ service }) => service === generation.name))
  const isThere = ({ last: { task } }: Chain) => task.desiredStatus !== 'STOPPED'
  const isLeaving = ({ last }: Chain) => !endedByItself(last) && last.task.lastStatus !== 'STOPPED'
  const there = chains.filter(isThere)
  const leaving = chains.filter((chain) => !isThere(chain) && isLeaving(chain))
  // One that ended by itself stands for itself until its successor is there.
  const missing = Math.max(0, (generation.service.desiredCount ?? 0) - there.length)
  const ended = chains.filter((chain) => !isThere(chain) && endedByItself(chain.last))
  const vacant = ended.slice(Math.max(0, ended.length - missing))
  const toKnown = (isVacant: boolean) => (chain: Chain) => ({
    ...chain,
    generation,
    definition: null,
    isVacant,
  })
  return [...[...there, ...leaving].map(toKnown(false)), ...vacant.map(toKnown(true))]
}

/** Whether it is among the processes where nothing else is asked for. */
export function isShown(known: KnownTask): boolean {
  return isPicked(known, {})
}

function isPicked({ last, isVacant, generation }: KnownTask, filter: ProcessFilter): boolean {
  const { type, id, operation, all } = filter
  if (type !== undefined && last.type !== type) return false
  if (id !== undefined && last.process !== id) return false
  // What a deploy has started bears its operation too, and is none itself.
  if (operation !== undefined && (last.tags.operation !== operation || generation !== null)) return false
  const hasLeft = last.task.lastStatus === 'STOPPED' && !isVacant
  if (!hasLeft) return !isEndedAlone(last) || all === true || id !== undefined
  return all === true || id !== undefined
}

/** A one-off that has ended is shown no more, while ECS still clears it away. */
function isEndedAlone({ service, task }: FoundTask): boolean {
  const main = task.containers?.find(({ name }) => name === 'main')
  return service === null && task.desiredStatus === 'STOPPED' && main?.exitCode !== undefined
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

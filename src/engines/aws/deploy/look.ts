import type { Control } from '../../../domain/control.ts'
import type { Plan } from '../../../domain/plan.ts'
import type { Observed } from '../../../rollout/runtime.ts'
import { findRecords } from '../inside/records.ts'
import { findGenerations, type FoundGeneration, type FoundTask } from '../look/found.ts'
import { allTasks } from '../look/service-tasks.ts'
import { endOfTask, isLeavingTask, isUpTask } from '../look/task-end.ts'
import { generationName, hashedProcessId, membersName, ownerWord, readTags } from '../names.ts'
import { findRules, isLive } from '../routes/rules.ts'
import { findListeners, isWaitingPort } from '../routes/listeners.ts'
import type { AwsParts } from '../parts.ts'
import { jobGeneration } from '../jobs/jobs.ts'
import { findCompleted } from '../jobs/notes.ts'
import { tellDrift } from './drift.ts'
import { generationOf } from './found-generation.ts'
import { findLost } from './lost-parts.ts'
import type { Lost } from './lost.ts'
import { observed, type Generation, type OwnCopy, type OwnRollout } from './own.ts'
import { reapGeneration } from '../leaving/reap.ts'
import { readVolumeTags } from '../volumes/volume-tags.ts'

/** What is there of the owner, in the rollout's words. */
export async function findOwn(own: OwnRollout, plans: Plan[], control: Control): Promise<Observed> {
  const { parts, owner } = own
  const [found, records, completed] = await Promise.all([
    findGenerations(parts, { owner }, control),
    findRecords(parts, owner, control),
    findCompleted(parts, owner, control),
  ])
  own.records = records
  const before = own.copies
  own.copies = new Map()
  const active = found.filter(({ service }) => service.status === 'ACTIVE')
  own.lost ??= await tellLost(own, active, control)
  await Promise.all(active.map(async (each) => await findCopies(own, before, each, control)))
  for (const generation of own.prepared.values()) addPrepared(own, generation)
  await findJobs(own, plans, control)
  for (const job of completed) addCompleted(own, job)
  for (const generation of own.generations.values()) {
    if (generation.state === 'leaving') reapGeneration(parts, generation)
  }
  const routed = await routedOf(own, control)
  return { copies: Array.from(own.copies.values(), observed), routed }
}

/** Its copies are replaced by such as have all that they stand on. */
async function tellLost(own: OwnRollout, active: FoundGeneration[], control: Control): Promise<Lost> {
  const lost = await findLost(own, active, control)
  for (const { name, type } of active) {
    const parts = lost.parts.get(name)
    if (parts) tellDrift(control, `somebody has taken ${parts.what} from ${type}: its copies are replaced`)
  }
  return lost
}

async function findCopies(
  own: OwnRollout,
  before: ReadonlyMap<string, OwnCopy>,
  found: FoundGeneration,
  control: Control,
): Promise<void> {
  const generation = toGeneration(own, found)
  const tasks = await allTasks(own.parts, { serviceName: found.name }, control)
  const there = tasks.filter(({ arn }) => !own.parts.endedTasks.has(arn))
  const up = there.filter(({ task }) => isUpTask(task))
  const leaving = there.filter(({ task }) => isLeavingTask(task))
  const known = new Map([...before.values()].map((copy) => [copy.task, copy]))
  for (const task of [...up, ...leaving]) {
    const copy = { ...copyOfTask(own, generation, task), ...idOf(known.get(task.arn)) }
    const isGoing = leaving.includes(task) || generation.state === 'leaving'
    const old = known.get(task.arn)
    // Started by this rollout, and not marked: their generation may be of before.
    const mark = isGoing ? 'draining' : old?.mark === 'unproved' ? 'unproved' : copy.mark
    own.copies.set(copy.process, { ...copy, mark })
  }
  // Nothing of it runs, and nobody has proved it: as one that was never started it is taken away.
  if (generation.state === 'proving' && up.length === 0) addPrepared(own, generation)
  if (generation.state !== 'proved') return
  // Between a copy that has ended and the one that ECS starts in its place.
  for (let index = up.length; index < generation.desired; index++) {
    const place = hashedProcessId(`${generation.name} vacancy ${index - up.length}`)
    own.copies.set(place, { ...emptyCopy(own, generation, place), state: 'restarting', mark: 'proved' })
  }
  for (const place of generation.parked) {
    const copy = before.get(place) ?? emptyCopy(own, generation, place)
    own.copies.set(place, { ...copy, generation, state: 'ended', mark: 'parked', task: null, names: [] })
  }
}

/** A copy whose task is another one by now keeps its id while the rollout lasts. */
function idOf(known: OwnCopy | undefined): Partial<OwnCopy> {
  return known ? { process: known.process } : {}
}

function toGeneration(own: OwnRollout, found: FoundGeneration): Generation {
  const known = own.generations.get(found.name)
  const generation = generationOf(found)
  const hasSame = known?.parked.length === generation.parked.length
  const parked = hasSame ? known.parked : generation.parked
  // The same object as before, since copies point to it.
  const kept = known ? Object.assign(known, generation, { parked }) : generation
  own.generations.set(found.name, kept)
  const lost = own.lost?.parts.get(found.name)
  // One that lacks something is what no plan wants.
  if (lost) Object.assign(kept, { identity: '', groups: kept.groups.filter((arn) => !lost.groups.has(arn)) })
  return kept
}

function copyOfTask(own: OwnRollout, generation: Generation, found: FoundTask): OwnCopy {
  const end = endOfTask(found.task)
  return {
    ...emptyCopy(own, generation, found.process),
    task: found.arn,
    address: found.address,
    state: end ? 'ended' : 'running',
    exitCode: end?.code ?? null,
    endedByItself: end?.isOwn ?? false,
  }
}

/** A copy of a generation of which nothing is known but that. */
export function emptyCopy(own: OwnRollout, generation: Generation, process: string): OwnCopy {
  const { type, release, identity, createdMs, drainMs, volumes } = generation
  return {
    process,
    type,
    kind: 'process',
    release,
    identity,
    createdMs,
    generation,
    task: null,
    address: null,
    state: 'running',
    exitCode: null,
    endedByItself: false,
    mark: generation.state === 'proved' ? 'proved' : 'unproved',
    names: namesOf(own, generation),
    drainMs,
    volumes,
  }
}

/** Names that lead to a generation now, without the owner's domain. */
function namesOf({ parts, records }: OwnRollout, generation: Generation): string[] {
  const target = membersName(parts.rack, generation)
  return [...records].filter(([, each]) => each === target).map(([name]) => name.split('.')[0]!)
}

/** Parts that nothing was started from: whoever goes back finds them, and takes them away. */
function addPrepared(own: OwnRollout, generation: Generation): void {
  const place = hashedProcessId(`${generation.name} prepared`)
  own.copies.set(place, { ...emptyCopy(own, generation, place), state: 'created', mark: 'unproved' })
}

async function findJobs(own: OwnRollout, plans: Plan[], control: Control): Promise<void> {
  const { parts, owner } = own
  const startedBy = await allTasks(parts, { startedBy: ownerWord(owner) }, control)
  const families = new Set(plans.flatMap((plan) => jobFamilies(parts, plan)))
  const byFamily = await Promise.all(
    [...families].map(async (family) => await allTasks(parts, { family }, control)),
  )
  for (const found of [...startedBy, ...byFamily.flat()]) addJob(parts, own, found)
}

/** Families of what runs by itself under a plan. */
function jobFamilies({ rack }: AwsParts, plan: Plan): string[] {
  return jobGeneration(rack, plan).map(generationName)
}

function addJob({ endedTasks }: AwsParts, own: OwnRollout, found: FoundTask): void {
  const { arn, tags, kind, type, release } = found
  if (endedTasks.has(arn) || (kind !== 'process' && kind !== 'release-command')) return
  const end = endOfTask(found.task)
  const mark = readTags(found.task.tags).state === 'proved' ? 'proved' : 'unproved'
  own.copies.set(found.process, {
    process: found.process,
    type,
    kind,
    release,
    identity: tags.identity ?? '',
    createdMs: Date.parse(tags.created ?? '') || 0,
    generation: null,
    task: arn,
    address: found.address,
    state: end ? 'ended' : 'running',
    exitCode: end?.code ?? null,
    endedByItself: end?.isOwn ?? false,
    mark,
    names: [],
    drainMs: 0,
    volumes: readVolumeTags(tags),
  })
}

function addCompleted(
  own: OwnRollout,
  job: { process: string; type: string; release: string; identity: string; createdMs: number },
): void {
  const ended = { state: 'ended' as const, exitCode: 0, endedByItself: true, mark: 'completed' as const }
  const nothing = { generation: null, task: null, address: null, names: [], drainMs: 0, volumes: [] }
  own.copies.set(job.process, { ...job, kind: 'process', ...ended, ...nothing })
}

/** Copies of generations that requests from outside are led to. */
async function routedOf(own: OwnRollout, control: Control): Promise<string[]> {
  const groups = new Set([...own.generations.values()].flatMap((generation) => generation.groups))
  if (groups.size === 0) return []
  const rules = await findRules(own.parts, own.balancer, control)
  const listeners = await findListeners(own.parts, control)
  const live = new Set([
    ...rules.filter(isLive).flatMap((rule) => rule.groups.map(({ arn }) => arn)),
    ...listeners.filter(({ port }) => !isWaitingPort(port)).map(({ group }) => group),
  ])
  return [...own.copies.values()]
    .filter(({ generation, state }) => state === 'running' && generation?.groups.some((arn) => live.has(arn)))
    .map((copy) => copy.process)
}

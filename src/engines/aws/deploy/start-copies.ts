import type { Control } from '../../../domain/control.ts'
import { copyRules } from '../../../domain/copy-identity.ts'
import { RackError } from '../../../domain/error.ts'
import { mountedVolumes } from '../../../domain/volume.ts'
import { startDeadline } from '../../../lib/deadline.ts'
import { pause } from '../../../lib/poll.ts'
import { deployFailed } from '../../../rollout/failure.ts'
import type { CopyOrder } from '../../../rollout/runtime.ts'
import { changeRecords, recordChanges } from '../inside/records.ts'
import { namesOfTypes } from '../inside/wanted-names.ts'
import { describeTasks, toGeneration, type FoundTask } from '../look/found.ts'
import { allTasks } from '../look/service-tasks.ts'
import { mayPass, tellPassing } from '../look/passing-failure.ts'
import { begunTask, endOfTask } from '../look/task-end.ts'
import { generationName, makeGenerationId, membersName } from '../names.ts'
import { emptyCopy } from './look.ts'
import { hasItsVolumes } from './lost-parts.ts'
import { makeParts, makeService } from './make-parts.ts'
import { copiesOf, isKept, type Generation, type OwnCopy, type OwnRollout } from './own.ts'
import { removeGeneration } from '../leaving/remove-parts.ts'
import { groupsOf, registryOf } from '../orphans.ts'
import { newestOf } from './serving.ts'
import { setDesired } from './set-desired.ts'

/** How long a task may take from being made until its process runs. */
const startDeadlineMs = 480_000

/** The generation that a further copy goes into; null where it is the first of its own. */
function generationFor(own: OwnRollout, order: CopyOrder): Generation | null {
  const { process: processPlan, plan, identity } = order
  const { replaceBefore } = copyRules(plan).get(processPlan.type)!
  const newerThanMs = replaceBefore === null ? -Infinity : Date.parse(replaceBefore)
  const fitting = [...own.generations.values()].filter(
    (each) =>
      each.isMade &&
      each.type === processPlan.type &&
      each.identity === identity &&
      each.state !== 'leaving' &&
      each.createdMs >= newerThanMs &&
      hasItsVolumes(own, each),
  )
  return newestOf(fitting) ?? null
}

/** All parts of a new generation but its service. @throws deploy-failed where the account takes one of them not */
export async function prepareGeneration(
  own: OwnRollout,
  order: CopyOrder,
  control: Control,
): Promise<Generation> {
  const { parts, owner } = own
  const { process: processPlan, plan, identity } = order
  const named = { owner, type: processPlan.type, id: makeGenerationId(parts.randomBytes) }
  const generation: Generation = {
    ...named,
    name: generationName(named),
    release: plan.release,
    identity,
    createdMs: Date.now(),
    state: 'proving',
    drainMs: processPlan.drainTimeoutMs,
    volumes: mountedVolumes(processPlan),
    groups: [],
    registry: null,
    desired: 0,
    parked: [],
    arn: '',
    definition: '',
    isMade: false,
  }
  own.generations.set(generation.name, generation)
  own.prepared.set(processPlan.type, generation)
  parts.preparing.add(generation.name)
  generation.definition = await orNotStarted(
    processPlan.type,
    async () => await makeParts(own, generation, order, control),
  )
  return generation
}

/** What the account refuses is this type's failure; that it is away is nobody's. */
async function orNotStarted<T>(type: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof RackError) || error.code !== 'engine-failed') throw error
    throw notStarted(type, '', error.message)
  }
}

export function notStarted(type: string, process: string, probe: string): RackError {
  return deployFailed([{ process, type, reason: 'not-started', exitCode: null, lastLines: [], probe }])
}

/** Starts so many more copies of a type; settles when their processes run, or have ended already. */
export async function startCopies(
  own: OwnRollout,
  order: CopyOrder,
  count: number,
  control: Control,
): Promise<OwnCopy[]> {
  const { type } = order.process
  const existing = generationFor(own, order)
  const generation = existing ?? own.prepared.get(type) ?? (await prepareGeneration(own, order, control))
  const known = existing ? await knownTasks(own, generation, control) : new Set<string>()
  if (existing) {
    const kept = copiesOf(own, generation).filter(isKept).length
    await setDesired(own, generation, kept + count, control)
  } else {
    await nameAtOnce(own, generation, order, control)
    await orNotStarted(type, async () => {
      await makeService(own, generation, { order, definition: generation.definition, count }, control)
    })
    own.prepared.delete(type)
  }
  return await takeTasks(own, generation, { known, count }, control)
}

/** Tasks that are no new ones: those that run, and those that have ended of late. */
export async function knownTasks(
  own: OwnRollout,
  generation: Generation,
  control: Control,
): Promise<Set<string>> {
  const tasks = await allTasks(own.parts, { serviceName: generation.name }, control)
  const held = copiesOf(own, generation).flatMap(({ task }) => task ?? [])
  return new Set([...held, ...tasks.map(({ arn }) => arn)])
}

/** Where no older copy bears the names they are there before the first copy: no lookup meets a lack that is kept. */
async function nameAtOnce(
  own: OwnRollout,
  generation: Generation,
  { plan }: CopyOrder,
  control: Control,
): Promise<void> {
  const { parts, records } = own
  const wanted = namesOfTypes(parts.rack, plan, new Map([[generation.type, generation]]))
  const others = [...own.generations.values()].filter((each) => each !== generation)
  const held = new Set(others.map((each) => membersName(parts.rack, each)))
  const free = new Map([...wanted].filter(([name]) => !held.has(records.get(name) ?? '')))
  const changes = recordChanges(records, free)
  if (changes.length === 0) return
  own.naming = await changeRecords(parts, changes, control)
  for (const [name, target] of free) records.set(name, target)
}

/** The tasks that ECS makes for copies that were asked for, each as soon as its process runs. */
export async function takeTasks(
  own: OwnRollout,
  generation: Generation,
  { known, count }: { known: ReadonlySet<string>; count: number },
  control: Control,
): Promise<OwnCopy[]> {
  const { parts } = own
  using deadline = startDeadline({
    deadlineMs: startDeadlineMs,
    what: `copies of ${generation.type} to start`,
    signal: control.signal,
  })
  const { signal } = deadline
  const copies: OwnCopy[] = []
  const seen = new Set(known)
  const take = async ({ arn }: FoundTask, again: number) => {
    const end = endOfTask(await parts.tasks.until(arn, begunTask, signal))
    seen.add(arn)
    const words = end?.notStarted ?? null
    if (mayPass(words, again)) return tellPassing(generation.type, words, control)
    const [found] = await describeTasks(parts, [arn], { signal })
    const copy: OwnCopy = {
      ...emptyCopy(own, generation, found!.process),
      task: arn,
      address: found!.address,
      state: end ? 'ended' : 'running',
      exitCode: end?.code ?? null,
      endedByItself: end?.isOwn ?? false,
      mark: 'unproved',
    }
    own.copies.set(copy.process, copy)
    if (words !== null) throw notStarted(generation.type, copy.process, words)
    copies.push(copy)
  }
  for (let again = 0; copies.length < count; again++) {
    const wanted = { known: seen, count: count - copies.length }
    const found = await newTasks(own, generation, wanted, { signal })
    own.started.push(...found.map(({ arn }) => arn))
    await Promise.all(found.map((task) => take(task, again)))
  }
  return copies
}

async function newTasks(
  { parts }: OwnRollout,
  generation: Generation,
  { known, count }: { known: ReadonlySet<string>; count: number },
  { signal }: { signal: AbortSignal },
): Promise<FoundTask[]> {
  const begunMs = performance.now()
  for (;;) {
    const tasks = await allTasks(parts, { serviceName: generation.name }, { signal })
    const fresh = tasks.filter(({ arn }) => !known.has(arn))
    // A first one that did not start says why no other will.
    const failed = fresh.find(({ task }) => task.stopCode === 'TaskFailedToStart')
    if (failed) return [failed]
    if (fresh.length >= count) {
      return fresh.toSorted((a, b) => a.createdMs - b.createdMs).slice(0, count)
    }
    if (performance.now() - begunMs > parts.intervals.noTask) {
      throw notStarted(generation.type, '', await lastEvent(parts, generation, signal))
    }
    await pause(parts.intervals.tasks, signal)
  }
}

async function lastEvent(
  { clients, places }: OwnRollout['parts'],
  { name }: Generation,
  signal: AbortSignal,
): Promise<string> {
  const input = { cluster: places.cluster, services: [name] }
  const { services = [] } = await clients.ecs.describeServices(input, { abortSignal: signal })
  const found = services[0] && toGeneration(services[0])
  return found?.service.events?.[0]?.message ?? 'ECS has started nothing'
}

/** Takes away what was prepared and never started. */
export async function removePrepared(
  own: OwnRollout,
  generation: Generation,
  control: Control,
): Promise<void> {
  const { parts } = own
  // Of what was made and not answered for nothing is known yet.
  const groups = new Set([...generation.groups, ...(await groupsOf(parts, generation, control))])
  const registry = generation.registry ?? (await registryOf(parts, generation, control))
  own.prepared.delete(generation.type)
  own.generations.delete(generation.name)
  parts.preparing.delete(generation.name)
  await removeGeneration(parts, { ...generation, groups: [...groups], registry }, control)
}

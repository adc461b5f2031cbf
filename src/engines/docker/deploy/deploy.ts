import type { Control } from '../../../domain/control.ts'
import type { Receipt } from '../../../domain/deployment.ts'
import { RackError } from '../../../domain/error.ts'
import { makeId } from '../../../domain/id.ts'
import type { Plan } from '../../../domain/plan.ts'
import { DeadlineError, startDeadline } from '../../../lib/deadline.ts'
import { together } from '../../../lib/together.ts'
import { appRoutes, withLeavingRoutes, type Servant } from './app-routes.ts'
import { cancelled } from '../cancelled.ts'
import { startTrace } from './deploy-trace.ts'
import { findCopies, type FoundCopy } from '../containers/found-copy.ts'
import { ensureNetwork } from '../containers/network.ts'
import type { EngineParts } from '../parts.ts'
import { isTypeSettled, phraseDeploy, type DeploySteps, type TypeSteps } from './phrase.ts'
import { runReleaseCommands } from './release-command.ts'
import { drainCopies, removeCopies, stopCopies } from './retire.ts'
import type { AppRoutes } from '../router/route-table.ts'
import type { RunningMeasurement } from '../router/router.ts'
import { nameEarly, settleCopies, startType, type Deploy } from './start-type.ts'
import { undoDeploy } from './undo-deploy.ts'
import { ensureVolumes } from '../containers/volumes.ts'

/** No deploy lasts longer, whatever its types say. */
const deployDeadlineMs = 600_000
/** What is left to do once traffic has moved: draining, stopping, removing. */
const finishDeadlineMs = 900_000

interface Work extends Deploy {
  steps: DeploySteps
  control: Control
  /** The app's routes before, to go back to. */
  before: AppRoutes | null
  /** True once the router knows a new copy. */
  isRouted: boolean
}

/**
 * Brings the app to the plan: what is missing is started and proved, then traffic moves, then the rest leaves. Until
 * traffic has moved for good every failure undoes all of it.
 * @param replacing process ids that leave although the plan would keep them
 */
export async function deployPlan(
  parts: EngineParts,
  plan: Plan,
  control: Control,
  replacing: ReadonlySet<string> = new Set(),
): Promise<Receipt> {
  using deadline = startDeadline({ deadlineMs: deployDeadlineMs, what: 'the deploy', signal: control.signal })
  const inner: Control = { signal: deadline.signal, report: control.report }
  try {
    return await bringToPlan(parts, plan, inner, replacing)
  } catch (error) {
    if (control.signal.aborted) throw cancelled(control.signal)
    if (!(deadline.signal.reason instanceof DeadlineError)) throw error
    throw new RackError('timeout', 'the deploy took longer than 10 minutes; what ran before still runs', {
      cause: error,
    })
  }
}

async function bringToPlan(
  parts: EngineParts,
  plan: Plan,
  control: Control,
  replacing: ReadonlySet<string>,
): Promise<Receipt> {
  const { router, rack, docker } = parts
  const { signal } = control
  signal.throwIfAborted()
  const trace = startTrace(control)
  const measurement = await router.measure(plan.app, control)
  const [found, routes] = await trace.phase('look', null, () =>
    Promise.all([
      findCopies(docker, rack, { app: plan.app }, control),
      router.routes(),
      prepare(parts, plan, control),
    ]),
  )
  const before = routes.find(({ app }) => app === plan.app) ?? null
  const operation = makeId('O', parts.randomBytes)
  const steps = phraseDeploy(plan, found, replacing)
  const records = { started: [], parked: [], passed: [] }
  const work: Work = { parts, plan, operation, trace, ...records, steps, control, before, isRouted: false }

  await using undo = new AsyncDisposableStack()
  undo.defer(() => endMeasurement(measurement, control))
  undo.defer(() => undoDeploy(work))
  await removeCopies(parts, steps.debris, control)
  await runReleaseCommands(work, signal)
  await startFirstWaves(work)
  await moveTraffic(work)
  await rollLaterWaves(work)
  undo.move()

  // Traffic has moved: from here on it only goes forward, whoever wants it to stop.
  using deadline = startDeadline({ deadlineMs: finishDeadlineMs, what: 'old processes to leave' })
  const forward: Control = { signal: deadline.signal, report: control.report }
  await letOldLeave(work, forward)
  const { requests, failed, longestStallMs } = await measurement.end(forward)
  return { requests, failed, longestStallMs, ...namesOf(steps), trace: trace.entries }
}

/** What nobody asks for any more is not counted on; a router that is away has nothing to count. */
async function endMeasurement(measurement: RunningMeasurement, { report }: Control): Promise<void> {
  try {
    await measurement.end({ signal: AbortSignal.timeout(10_000), report })
  } catch (error) {
    if (!(error instanceof RackError)) throw error
  }
}

async function prepare(parts: EngineParts, plan: Plan, control: Control): Promise<void> {
  await ensureNetwork(parts, plan.app, control)
  await ensureVolumes(parts, plan, control)
}

/** Every type at once, each as soon as those that it waits for are ready. */
async function startFirstWaves(work: Work): Promise<void> {
  const { steps, control } = work
  const events = new Map(steps.layers.flat().map(({ plan }) => [plan.type, dependencyEvents()]))
  const tasks = steps.layers.flatMap((layer, depth) => {
    const earlier = new Set(steps.layers.slice(0, depth).flatMap((each) => each.map(({ plan }) => plan.type)))
    return layer.map((type) => async (signal: AbortSignal) => {
      const waits = type.plan.after.filter((dependency) => earlier.has(dependency.type))
      await Promise.all(
        waits.map(({ type: name, condition }) => waitFor(events.get(name), condition, signal)),
      )
      await startFirstWave(work, type, events.get(type.plan.type), signal)
    })
  })
  await together(control.signal, tasks)
}

async function startFirstWave(work: Work, type: TypeSteps, events: Events | undefined, signal: AbortSignal) {
  const [wave] = type.waves
  const { retire, prove, plan } = type
  if (wave || prove.length > 0) {
    await park(work, retire.slice(0, wave?.park ?? 0))
    const stage = {
      steps: type,
      count: wave?.start ?? 0,
      found: prove,
      mustComplete: mustComplete(work, type),
    }
    await startType(work, { ...stage, onStarted: () => events?.started.resolve() }, signal)
    const isAlone = retire.every((copy) => work.parked.includes(copy)) && type.keep.length === 0
    if (isAlone) await nameEarly(work, plan.type, signal)
  }
  events?.started.resolve()
  events?.ready.resolve()
}

interface Events {
  started: PromiseWithResolvers<void>
  ready: PromiseWithResolvers<void>
}

const dependencyEvents = (): Events => ({ started: Promise.withResolvers(), ready: Promise.withResolvers() })

async function waitFor(events: Events | undefined, condition: string, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const end = () => reject(signal.reason as Error)
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  await Promise.race([condition === 'started' ? events?.started.promise : events?.ready.promise, promise])
  signal.removeEventListener('abort', end)
}

/** Whether another type waits until this one has ended well. */
function mustComplete({ plan }: Work, { plan: { type } }: TypeSteps): boolean {
  return plan.processes.some(({ after }) =>
    after.some((dependency) => dependency.type === type && dependency.condition === 'completed'),
  )
}

/** Old copies make room before their successors start; they can still come back. */
async function park(work: Work, copies: FoundCopy[]): Promise<void> {
  if (copies.length === 0) return
  const { parts, control } = work
  work.parked.push(...copies)
  await drain(work, copies, control)
  await work.trace.phase('stop', copies[0]?.type ?? null, () => stopCopies(parts, copies, control))
}

/** Everything is healthy: names, then the router, then nothing new gets to old copies. */
async function moveTraffic(work: Work): Promise<void> {
  const { control, trace } = work
  await trace.phase('name', null, () => settleCopies(work, control.signal))
  await trace.phase('route', null, () => route(work, control))
}

async function rollLaterWaves(work: Work): Promise<void> {
  const { steps, control } = work
  for (const type of steps.layers.flat()) {
    for (const wave of type.waves.slice(1)) {
      const staying = type.retire.filter((copy) => !work.parked.includes(copy))
      await park(work, staying.slice(0, wave.park))
      const stage = {
        steps: type,
        count: wave.start,
        found: [],
        mustComplete: false,
        onStarted: () => undefined,
      }
      await startType(work, stage, control.signal)
      await moveTraffic(work)
    }
  }
}

async function letOldLeave(work: Work, control: Control): Promise<void> {
  const { parts, steps, trace, parked } = work
  const old = [...steps.layers.flat().flatMap(({ retire }) => retire), ...steps.orphans]
  const serving = old.filter((copy) => !parked.includes(copy))
  if (serving.length > 0) {
    await drain(work, serving, control)
    await trace.phase('stop', null, () => stopCopies(parts, serving, control))
  }
  if (steps.orphans.length > 0) await route(work, control, false)
  if (old.length > 0) await trace.phase('remove', null, () => removeCopies(parts, old, control))
}

async function drain(work: Work, copies: FoundCopy[], control: Control): Promise<void> {
  const { parts, plan, trace } = work
  const planned = new Map(plan.processes.map(({ type, drainTimeoutMs }) => [type, drainTimeoutMs]))
  const drainMs = (copy: FoundCopy) => planned.get(copy.type) ?? copy.drainMs
  await trace.phase('drain', null, () => drainCopies(parts, { app: plan.app, copies, drainMs }, control))
}

/** Tells the router which copies serve: the kept, the proved, and until they leave the old ones that served before. */
async function route(work: Work, control: Control, withOld = true): Promise<void> {
  const { parts, plan, steps, before, parked, passed } = work
  const types = steps.layers.flat()
  const known = new Set(serversOf(before))
  const old = withOld
    ? types.flatMap(({ retire }) =>
        retire.filter((copy) => known.has(copy.process) && !parked.includes(copy)),
      )
    : []
  const kept = types.flatMap(({ keep }) => keep.filter(({ state }) => state !== 'exited'))
  const servants = [...kept, ...old].flatMap(({ address, ...copy }): Servant[] =>
    address ? [{ ...copy, address }] : [],
  )
  const routes = appRoutes(plan, [...servants, ...passed.map(({ copy }) => copy)], parts.tcpBind)
  const leaving = withOld ? [...new Set(steps.orphans.map(({ type }) => type))] : []
  const all = withLeavingRoutes(routes, before, leaving)
  if (!all && !before) return
  work.isRouted = true
  await parts.router.apply(plan.app, all, control)
}

function serversOf(routes: AppRoutes | null): string[] {
  const all = [...(routes?.http ?? []), ...(routes?.tcp ?? [])]
  return all.flatMap(({ backend }) => backend.servers.map(({ process }) => process))
}

function namesOf({ layers }: DeploySteps): Pick<Receipt, 'started' | 'replaced' | 'kept'> {
  const isKept = (type: TypeSteps) => type.keep.length + type.prove.length > 0 || type.plan.count === 0
  const types = layers.flat()
  const fresh = types.filter((type) => !isKept(type) && !isTypeSettled(type))
  const namesWhere = (list: TypeSteps[], holds: (type: TypeSteps) => boolean) =>
    list.filter(holds).map(({ plan }) => plan.type)
  return {
    started: namesWhere(fresh, ({ retire }) => retire.length === 0),
    replaced: namesWhere(fresh, ({ retire }) => retire.length > 0),
    kept: namesWhere(types, isKept),
  }
}

import { admitPlan } from '../domain/admission.ts'
import { checkAgents } from '../domain/agent.ts'
import type { Control } from '../domain/control.ts'
import { changedTypes } from '../domain/copy-identity.ts'
import type { EarlyCrash } from '../domain/deployment.ts'
import type { Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import {
  yieldingKinds,
  type Operation,
  type OperationIntent,
  type OperationKind,
} from '../domain/operation.ts'
import { appOwner, ofApp } from '../domain/owner.ts'
import { gapText, typesWithGap } from '../domain/overlap.ts'
import { maskPlan } from '../domain/mask-plan.ts'
import type { Plan } from '../domain/plan.ts'
import { missingVariables } from '../domain/process-environment.ts'
import { plannedTimers, typesWithoutRoom } from '../domain/timer-plan.ts'
import type { AdmittedRoom } from './admission-control.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { withCounts } from './complete-receipt.ts'
import { firstMinuteOf } from './healing/first-minutes.ts'
import { carryOut } from './journal/carry-out.ts'
import { startChange, startYielding, type Begun } from './journal/start-operation.ts'
import type { Promotion, PromoteResult } from './operations.ts'
import { reasonsOf } from './process-fields.ts'
import { livePlanOf, phraseTarget, type Target } from './read-release.ts'
import { withIllServices } from './services/ill-services.ts'
import { tellHoldersTo } from './tell-holders.ts'

/** A change and what it is compared with. */
interface Change {
  plan: Plan
  live: Plan | null
  environment: Environment
  changed: Set<string>
  missing: Record<string, string[]>
}

/** Who wants what; the target is looked for when no other change runs, and may throw. */
export interface ChangeRequest {
  app: string
  actor: string
  findTarget: () => Promise<Target>
}

/**
 * The one way in which what runs is changed: plan, admit, journal, deploy, record. Promote, rollback, scale and restart
 * are this with different targets. The work goes on when the caller's connection is lost.
 */
export async function changeLive(
  context: Context,
  kind: OperationKind,
  { app, actor, findTarget }: ChangeRequest,
  control: Control,
): Promise<PromoteResult> {
  const start = yieldingKinds.has(kind) ? startYielding : startChange
  const changed = await start(context, app, control, async () => {
    await findApp(context, app)
    const target = await findTarget()
    const change = await phraseChange(context, target)
    refuseMissing(change.missing, app)
    const leaving = await leavingOf(context, target, control)
    refuseObstacles(await obstaclesOf(context, change, leaving, control))
    const room = await context.admission.admit(
      app,
      describeChange(kind, target),
      (capacity) => admitPlan(change.plan, capacity, change.changed, leaving),
      control,
    )
    await tellRoomless(context, change.plan, control)
    await tellAdditions(context, change.plan, control)
    return await underJournal(context, kind, { actor, target, change, leaving, room }, control)
  })
  const { operation, result } = changed!
  const counted = await withCounts(context, operation, result, control)
  return kind === 'promote' ? withCrashes(context, operation, counted) : counted
}

/** From then on nobody waits who could be told. */
function withCrashes(
  { firstMinutes }: Context,
  { id, app }: Operation,
  result: PromoteResult,
): PromoteResult {
  const minute = firstMinutes.get(app)
  if (minute?.operation !== id) return result
  minute.tell = null
  const crashed = [...minute.crashed.values()]
  return crashed.length === 0 ? result : { ...result, receipt: { ...result.receipt, crashed } }
}

/** Whoever waits for a promote hears of what crashes after it. */
function beginFirstMinute(context: Context, operation: Operation, plan: Plan, { report }: Control): void {
  const nowMs = context.now().getTime()
  const tell = ({ process, type, detail }: EarlyCrash) => {
    const text = `${process} of ${type} has crashed since it is live: ${detail}`
    report({ type: 'log', process: type, text, time: context.now().toISOString() })
  }
  context.firstMinutes.set(operation.app, { ...firstMinuteOf(operation, plan, nowMs), tell })
}

/** Says beforehand which timers would find no room for a run. */
async function tellRoomless(context: Context, plan: Plan, control: Control): Promise<void> {
  if (plan.processes.every(({ timers }) => timers.length === 0)) return
  const types = typesWithoutRoom(plan, await context.admission.capacity(control))
  for (const { process, name } of plannedTimers(plan, context.now())) {
    const text = `the timer ${name} would find no room for a run now: see rack capacity --if ${process}=COUNT`
    if (types.has(process)) control.report({ type: 'log', process, text, time: context.now().toISOString() })
  }
}

/** Whoever changes what runs hears what it has made beside, that costs, before it is made. */
async function tellAdditions(context: Context, plan: Plan, control: Control): Promise<void> {
  for (const text of await context.engine.additions(plan, control))
    control.report({ type: 'log', text, time: context.now().toISOString() })
}

/** What the engine knows to stand in the way, of types of which a copy will be started above all. */
async function obstaclesOf(
  { engine }: Context,
  { plan, live, changed }: Change,
  leaving: ReadonlyMap<string, number>,
  control: Control,
): Promise<RackError[]> {
  const running = new Map(live?.processes.map(({ type, count }) => [type, count]))
  const more = plan.processes.filter(({ type, count }) => count > (running.get(type) ?? 0))
  const starting = new Set([...changed, ...leaving.keys(), ...more.map(({ type }) => type)])
  return await engine.obstacles(plan, starting, control)
}

/** All of them at once: whoever mends one after the other would meet each. */
function refuseObstacles(obstacles: RackError[]): void {
  const [first, ...others] = obstacles
  if (!first) return
  if (others.length === 0) throw first
  const lines = obstacles.map(({ message }) => `  ${message}`)
  throw new RackError(first.code, [`${obstacles.length} things stand in the way`, ...lines].join('\n'), {
    hint: first.hint,
    details: obstacles.map(({ code, message, details }) => ({ code, message, details })),
  })
}

/** How many copies of each type go although the plan would keep them. */
async function leavingOf(
  { engine }: Context,
  { app, leaving = [] }: Target,
  control: Control,
): Promise<Map<string, number>> {
  if (leaving.length === 0) return new Map()
  const found = (await engine.processes({ owner: appOwner(app) }, control)).filter(({ id }) =>
    leaving.includes(id),
  )
  return new Map([...Map.groupBy(found, ({ type }) => type)].map(([type, { length }]) => [type, length]))
}

interface Admitted {
  actor: string
  target: Target
  change: Change
  /** Copies of each type that go although the plan would keep them. */
  leaving: ReadonlyMap<string, number>
  room: AdmittedRoom
}

/** Opens the row; the room is held until the work has ended. */
async function underJournal(
  context: Context,
  kind: OperationKind,
  { actor, target, change, leaving, room }: Admitted,
  control: Control,
): Promise<Begun<{ operation: Operation; result: PromoteResult }>> {
  using stack = new DisposableStack()
  stack.use(room)
  const due = target.runsCommands ? await dueCommands(context, target.app, change.plan) : []
  const { peak: reserved, admission } = room
  const intent = { ...intentOf(target, change, due), reserved, surges: admission.surges }
  const operation = await context.store.operations.begin(target.app, kind, actor, intent)
  const held = stack.move()
  return {
    operation,
    async work(signal) {
      using _held = held
      tellGaps(change, leaving, control)
      const carried = carryOut(context, operation, change, { ...control, signal })
      const result = await carried.catch(async (error: unknown) => {
        throw await withIllServices(context, change.plan, error)
      })
      if (kind === 'promote') beginFirstMinute(context, operation, change.plan, control)
      else context.firstMinutes.delete(operation.app)
      return { operation, result }
    },
  }
}

/** Whoever changes what runs hears which processes do not serve meanwhile, before they stop. */
function tellGaps(
  { plan, live, changed }: Change,
  leaving: ReadonlyMap<string, number>,
  { report }: Control,
): void {
  for (const type of typesWithGap(plan, live, changed.union(new Set(leaving.keys())))) {
    report({ type: 'log', text: gapText(type), time: new Date().toISOString(), process: type.type })
  }
}

function intentOf(
  { release, formation, restart, leaving, volumes }: Target,
  { live }: Change,
  due: string[],
): OperationIntent {
  return {
    release,
    previousRelease: live?.release ?? null,
    ...(formation && { formation }),
    ...(restart && { restart }),
    ...(volumes && { mounted: volumes }),
    ...(leaving && { leaving }),
    ...(due.length > 0 && { releaseCommands: { due, begun: [], done: [] } }),
  }
}

/** Types whose release command a promote of the plan runs. */
async function dueCommands({ store }: Context, app: string, { build, processes }: Plan): Promise<string[]> {
  const isNew = !(await store.releases.wasBuildLive(app, build))
  return processes
    .filter(
      ({ releaseCommand, releaseCommandOn }) => releaseCommand && (isNew || releaseCommandOn === 'promote'),
    )
    .map(({ type }) => type)
}

/** What a change would do, with nothing touched. */
export async function previewChange(context: Context, target: Target, control: Control): Promise<Promotion> {
  await findApp(context, target.app)
  const change = await phraseChange(context, target)
  const types = change.plan.processes.map(({ type }) => type)
  const capacity = await context.admission.capacity(control)
  const admission = admitPlan(change.plan, capacity, change.changed)
  const roomless = typesWithoutRoom(change.plan, capacity)
  const obstacles = await obstaclesOf(context, change, new Map(), control)
  const additions = await context.engine.additions(change.plan, control)
  return {
    plan: ofApp(maskPlan(change.plan, change.environment)),
    admission: tellHoldersTo(context.caller, admission),
    replaced: types.filter((type) => change.changed.has(type)),
    reasons: reasonsFor(change),
    stopped: typesWithGap(change.plan, change.live, change.changed).map(({ type }) => type),
    kept: types.filter((type) => !change.changed.has(type)),
    removed: (change.live?.processes ?? []).map(({ type }) => type).filter((type) => !types.includes(type)),
    missing: change.missing,
    obstacles: obstacles.map(({ code, message, hint = null }) => ({ code, message, hint })),
    additions,
    timers: plannedTimers(change.plan, context.now()).map((timer) => {
      return { ...timer, fits: !roomless.has(timer.process) }
    }),
  }
}

/** By type that is replaced. */
function reasonsFor({ plan, live, changed }: Change): Record<string, string[]> {
  const before = new Map(live?.processes.map((processPlan) => [processPlan.type, processPlan]))
  const replaced = plan.processes.filter(({ type }) => changed.has(type))
  return Object.fromEntries(replaced.map((is) => [is.type, reasonsOf(before.get(is.type), is)]))
}

async function phraseChange(context: Context, target: Target): Promise<Change> {
  const { input, plan } = await phraseTarget(context, target)
  checkAgents(plan)
  const live = await livePlanOf(context, target.app)
  const { environment } = input
  const changed = changedTypes(plan, live, context.engine.features)
  return { plan, live, environment, changed, missing: missingVariables(input) }
}

function refuseMissing(missing: Record<string, string[]>, app: string): void {
  const types = Object.entries(missing)
  if (types.length === 0) return
  const names = [...new Set(types.flatMap(([, variables]) => variables))].sort()
  const lines = types.map(([type, variables]) => `  ${type}: ${variables.join(', ')}`)
  throw new RackError('environment-missing', ['required variables have no value', ...lines].join('\n'), {
    hint: `rack env set ${names.map((name) => `${name}=…`).join(' ')} --app ${app}`,
    details: missing,
  })
}

function describeChange(kind: OperationKind, { app, release }: Target): string {
  return kind === 'promote' ? `promoting ${release} of ${app}` : `the ${kind} of ${app}`
}

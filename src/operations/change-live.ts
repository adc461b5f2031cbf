import { admitPlan, type Admission } from '../domain/admission.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Formation } from '../domain/manifest.ts'
import type { Operation, OperationIntent, OperationKind } from '../domain/operation.ts'
import { changedTypes, maskPlan, missingVariables, planRelease, type Plan } from '../domain/plan.ts'
import type { Capacity } from '../domain/rack.ts'
import type { Context } from './context.ts'
import { endpointsOf } from './endpoints.ts'
import { findApp } from './find.ts'
import type { Promotion, PromoteResult } from './operations.ts'
import { livePlanOf, readRelease } from './read-release.ts'

/** What shall be live: a release, with a formation laid over the stored one, and types to restart. */
export interface Target {
  app: string
  release: string
  formation?: Record<string, Formation>
  restart?: { types: string[] | 'all'; at: string }
}

/** A change and what it is compared with. */
interface Change {
  plan: Plan
  live: Plan | null
  changed: Set<string>
  missing: Record<string, string[]>
}

/**
 * The one way in which what runs is changed: plan, admit, journal, deploy, record. Promote, rollback, scale and restart
 * are this with different targets. The work goes on when the caller's connection is lost.
 */
export async function changeLive(
  context: Context,
  kind: OperationKind,
  target: Target,
  actor: string,
  control: Control,
): Promise<PromoteResult> {
  const { app, release } = target
  const { release: previousRelease } = await findApp(context, app)
  const change = await phraseChange(context, target)
  refuseMissing(change.missing, app)
  const intent: OperationIntent = {
    release,
    previousRelease,
    ...(target.formation && { formation: target.formation }),
    ...(target.restart && { restart: target.restart }),
  }
  using _room = await context.desk.admit(
    app,
    describeChange(kind, target),
    (capacity) => admit(change, capacity),
    control,
  )
  const operation = await context.store.operations.begin(app, kind, actor, intent)
  return await context.running.run(operation.id, (signal) =>
    carryOut(context, operation, change.plan, { ...control, signal }),
  )
}

/** What a change would do, with nothing touched. */
export async function previewChange(context: Context, target: Target, control: Control): Promise<Promotion> {
  await findApp(context, target.app)
  const change = await phraseChange(context, target)
  const types = change.plan.processes.map(({ type }) => type)
  return {
    plan: maskPlan(change.plan),
    admission: admit(change, await context.desk.capacity(control)),
    replaced: types.filter((type) => change.changed.has(type)),
    kept: types.filter((type) => !change.changed.has(type)),
    removed: (change.live?.processes ?? []).map(({ type }) => type).filter((type) => !types.includes(type)),
    missing: change.missing,
  }
}

/** Deploys under the journal row and closes it, whatever the end. Also how recovery takes a row up again. */
export async function carryOut(
  context: Context,
  operation: Operation,
  plan: Plan,
  control: Control,
): Promise<PromoteResult> {
  const { store, engine, rack } = context
  const { app, release } = plan
  try {
    const receipt = await engine.deploy(plan, control)
    await store.operations.complete(operation.id, {
      liveRelease: release,
      formation: formationOf(plan),
      receipt,
    })
    return { app, release, receipt, endpoints: endpointsOf(plan, rack) }
  } catch (error) {
    if (!context.running.isInterrupted()) await closeFailed(context, operation, error)
    throw error
  }
}

/** Closes a row whose work was undone: what was live before is live still. */
export async function closeFailed(context: Context, operation: Operation, error: unknown): Promise<void> {
  const known = error instanceof RackError ? error : new RackError('internal', 'an unexpected failure')
  const { code, message, hint, details } = known
  const status = code === 'cancelled' ? 'cancelled' : 'failed'
  const appStatus = operation.intent.previousRelease ? 'running' : 'failed'
  await context.store.operations.fail(
    operation.id,
    status,
    { code, message, ...(hint !== undefined && { hint }), ...(details !== undefined && { details }) },
    appStatus,
  )
}

/** The plan of a target as it is to be deployed. */
export async function planTarget(
  context: Context,
  { app, release, formation, restart }: Target,
): Promise<Plan> {
  const plan = planRelease(await readRelease(context, app, release, formation))
  return restart ? restarted(plan, restart) : plan
}

async function phraseChange(context: Context, target: Target): Promise<Change> {
  const input = await readRelease(context, target.app, target.release, target.formation)
  const planned = planRelease(input)
  const plan = target.restart ? restarted(planned, target.restart) : planned
  const live = await livePlanOf(context, target.app)
  return { plan, live, changed: changedTypes(plan, live), missing: missingVariables(input) }
}

function restarted(plan: Plan, { types, at }: NonNullable<Target['restart']>): Plan {
  const processes = plan.processes.map((process) => {
    const isMeant = types === 'all' || types.includes(process.type)
    return isMeant ? { ...process, replaceBefore: at } : process
  })
  return { ...plan, processes }
}

function admit({ plan, changed }: Change, capacity: Capacity): Admission {
  return admitPlan(plan, capacity, changed)
}

function formationOf(plan: Plan): Record<string, Formation> {
  return Object.fromEntries(
    plan.processes.map(({ type, count, cpuUnits, memoryBytes }) => [type, { count, cpuUnits, memoryBytes }]),
  )
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

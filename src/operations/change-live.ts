import { admitPlan } from '../domain/admission.ts'
import { checkAgents } from '../domain/agent.ts'
import type { Control } from '../domain/control.ts'
import type { Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import type { OperationKind } from '../domain/operation.ts'
import { changedTypes, maskPlan, missingVariables, type Plan } from '../domain/plan.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { carryOut } from './journal/carry-out.ts'
import { startChange, type Begun } from './journal/start-operation.ts'
import type { Promotion, PromoteResult } from './operations.ts'
import { livePlanOf, phraseTarget, type Target } from './read-release.ts'

/** A change and what it is compared with. */
interface Change {
  plan: Plan
  live: Plan | null
  environment: Environment
  changed: Set<string>
  missing: Record<string, string[]>
}

/** Who wants what; the target is looked for when no other change runs, and may throw. */
export interface Wish {
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
  { app, actor, findTarget }: Wish,
  control: Control,
): Promise<PromoteResult> {
  return await startChange(context, app, control, async () => {
    await findApp(context, app)
    const target = await findTarget()
    const change = await phraseChange(context, target)
    refuseMissing(change.missing, app)
    const room = await context.desk.admit(
      app,
      describeChange(kind, target),
      (capacity) => admitPlan(change.plan, capacity, change.changed),
      control,
    )
    return await underJournal(context, kind, { actor, target, change, room }, control)
  })
}

interface Admitted {
  actor: string
  target: Target
  change: Change
  room: Disposable
}

/** Opens the row; the room is held until the work has ended. */
async function underJournal(
  context: Context,
  kind: OperationKind,
  { actor, target, change, room }: Admitted,
  control: Control,
): Promise<Begun<PromoteResult>> {
  using stack = new DisposableStack()
  stack.use(room)
  const { app, release, formation, restart } = target
  const previousRelease = change.live?.release ?? null
  const intent = { release, previousRelease, ...(formation && { formation }), ...(restart && { restart }) }
  const operation = await context.store.operations.begin(app, kind, actor, intent)
  const held = stack.move()
  return {
    operation,
    work: (signal) =>
      carryOut(context, operation, change.plan, { ...control, signal }).finally(() => held.dispose()),
  }
}

/** What a change would do, with nothing touched. */
export async function previewChange(context: Context, target: Target, control: Control): Promise<Promotion> {
  await findApp(context, target.app)
  const change = await phraseChange(context, target)
  const types = change.plan.processes.map(({ type }) => type)
  return {
    plan: maskPlan(change.plan, change.environment),
    admission: admitPlan(change.plan, await context.desk.capacity(control), change.changed),
    replaced: types.filter((type) => change.changed.has(type)),
    kept: types.filter((type) => !change.changed.has(type)),
    removed: (change.live?.processes ?? []).map(({ type }) => type).filter((type) => !types.includes(type)),
    missing: change.missing,
  }
}

async function phraseChange(context: Context, target: Target): Promise<Change> {
  const { input, plan } = await phraseTarget(context, target)
  checkAgents(plan)
  const live = await livePlanOf(context, target.app)
  const { environment } = input
  return { plan, live, environment, changed: changedTypes(plan, live), missing: missingVariables(input) }
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

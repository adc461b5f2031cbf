import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import {
  busyError,
  exclusiveKinds,
  yieldingKinds,
  type Operation,
  type OperationKind,
} from '../../domain/operation.ts'
import type { Context } from '../context.ts'
import { recoverOperation } from './recover-operation.ts'

/** A row that was just opened, and the work that it stands for. */
export interface Begun<T> {
  operation: Operation
  work: (signal: AbortSignal) => Promise<T>
}

/**
 * Begins a change of an app and settles with it. `begin` reads the app, decides and opens the row: in the app's turn,
 * when no other change runs, so that what it has read is still true when the work starts. What the rack does by itself
 * is ended for it.
 * @throws busy while another change runs
 */
export async function startChange<T>(
  context: Context,
  app: string,
  control: Control,
  begin: () => Promise<Begun<T>>,
): Promise<T> {
  context.running.refuseWhenInterrupted()
  // Asked before the turn too: an answer now is better than one after a wait.
  await refuseSecond(context, app)
  const { outcome } = await context.turns.run(app, control.signal, async () => {
    await refuseSecond(context, app)
    await endYielding(context, app)
    await recoverAbandoned(context, app, control)
    const { operation, work } = await begin()
    return { outcome: context.running.run(operation.id, work) }
  })
  return await outcome
}

/**
 * Begins what the rack does by itself, where nothing of the app is changing; settles with it. `begin` gives null where
 * there is nothing to do.
 * @throws busy while the app is changed
 */
export async function startYielding<T>(
  context: Context,
  app: string,
  control: Control,
  begin: () => Promise<Begun<T> | null>,
): Promise<T | null> {
  context.running.refuseWhenInterrupted()
  const { outcome } = await context.turns.run(app, control.signal, async () => {
    const open = await changeOf(context, app)
    if (open) throw busyError(open)
    const begun = await begin()
    return { outcome: begun && context.running.run(begun.operation.id, begun.work) }
  })
  return await outcome
}

/** Begins a build, of which an app may have many at once, beside a change too. */
export async function startBuild<T>(
  context: Context,
  app: string,
  control: Control,
  begin: () => Promise<Begun<T>>,
): Promise<T> {
  context.running.refuseWhenInterrupted()
  const { outcome } = await context.turns.run(buildTurn(app), control.signal, async () => {
    const { operation, work } = await begin()
    return { outcome: context.running.run(operation.id, work) }
  })
  return await outcome
}

/** Builds have turns of their own: they need not wait until an app is brought about again. */
export function buildTurn(app: string): string {
  return `${app}/builds`
}

/** The turn in which a row was opened. */
export function turnOf({ app, kind }: Operation): string {
  return kind === 'build' ? buildTurn(app) : app
}

/** The exclusive change that is open on an app. */
export async function changeOf({ store }: Context, app: string): Promise<Operation | null> {
  const open = await store.operations.running()
  return open.find((operation) => operation.app === app && exclusiveKinds.has(operation.kind)) ?? null
}

/** For what may go on beside other changes. @throws busy while one of these kinds is open on the app */
export async function refuseWhile(context: Context, app: string, kinds: OperationKind[]): Promise<void> {
  const change = await changeOf(context, app)
  if (change && kinds.includes(change.kind)) throw busyError(change)
}

/** For what an app is given without a change of what runs: until all of it has come, it is not there to be given anything. */
export async function refuseComing(context: Context, app: string): Promise<void> {
  await refuseWhile(context, app, ['import'])
}

async function refuseSecond(context: Context, app: string): Promise<void> {
  const open = await changeOf(context, app)
  if (open && context.running.has(open.id) && !yieldingKinds.has(open.kind)) throw busyError(open)
}

async function endYielding(context: Context, app: string): Promise<void> {
  const open = await changeOf(context, app)
  if (!open || !yieldingKinds.has(open.kind)) return
  await context.running.cancel(open.id, new RackError('cancelled', 'somebody has asked for a change'))
}

/** Not under the caller's signal: a caller who leaves ends the wait, not the work. */
async function recoverAbandoned(context: Context, app: string, { report }: Control): Promise<void> {
  const open = await changeOf(context, app)
  if (open) await recoverOperation(context, open, { signal: new AbortController().signal, report })
}

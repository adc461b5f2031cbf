import type { Control } from '../../domain/control.ts'
import { busyError, exclusiveKinds, type Operation } from '../../domain/operation.ts'
import type { Context } from '../context.ts'
import { takeUp } from './take-up.ts'

/** A row that was just opened, and the work that it stands for. */
export interface Begun<T> {
  operation: Operation
  work: (signal: AbortSignal) => Promise<T>
}

/**
 * Begins a change of an app and settles with it. `begin` reads the app, decides and opens the row: in the app's turn,
 * when no other change runs, so that what it has read is still true when the work starts.
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
    await takeUpAbandoned(context, app, control)
    const { operation, work } = await begin()
    return { outcome: context.running.run(operation.id, work) }
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

async function refuseSecond(context: Context, app: string): Promise<void> {
  const open = await changeOf(context, app)
  if (open && context.running.has(open.id)) throw busyError(open)
}

/** Not under the caller's signal: a caller who leaves ends the wait, not the work. */
async function takeUpAbandoned(context: Context, app: string, { report }: Control): Promise<void> {
  const open = await changeOf(context, app)
  if (open) await takeUp(context, open, { signal: new AbortController().signal, report })
}

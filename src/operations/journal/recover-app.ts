import type { Control } from '../../domain/control.ts'
import type { Operation } from '../../domain/operation.ts'
import { abortable } from '../../lib/deadline.ts'
import type { Semaphore } from '../../lib/semaphore.ts'
import type { Context } from '../context.ts'
import type { Attempts } from './attempts.ts'
import { convergeApp } from './converge-app.ts'
import { recoverOperation } from './recover-operation.ts'
import { changeOf, turnOf } from './start-operation.ts'

/** What is to be recovered of one app. */
export interface LeftApp {
  app: string
  /** Its open rows. */
  left: Operation[]
  attempts: Attempts
  /** How many apps are worked at at once. */
  bound: Semaphore
}

/** Finishes or undoes the app's open rows, one after the other, then brings its live plan about. Never rejects. */
export async function recoverApp(
  context: Context,
  { app, left, attempts, bound }: LeftApp,
  control: Control,
): Promise<void> {
  const converge = async () => {
    let change: Operation | null = null
    await attempts.run(`converge ${app}`, async () => {
      change = await convergeUnlessChanging(context, app, control)
    })
    return change as Operation | null
  }
  await attempts.run(`recover ${app}`, async () => {
    let change = await bound.run(async () => {
      for (const operation of left) {
        const what = `recover ${operation.kind} ${operation.id}`
        await attempts.run(what, () => recoverLeft(context, operation, control))
      }
      return await converge()
    }, control.signal)
    // A change that the engine's absence has ended may have left less than what was live.
    while (change) {
      await abortable(context.running.ended(change.id), control.signal)
      change = await bound.run(converge, control.signal)
    }
  })
}

/** A row that is open and not worked at here was left by a daemon that is no more. */
async function recoverLeft(context: Context, left: Operation, control: Control): Promise<void> {
  await context.turns.run(turnOf(left), control.signal, async () => {
    const operation = await context.store.operations.get(left.id)
    const isLeft = operation?.status === 'running' && !context.running.has(left.id)
    if (isLeft) await recoverOperation(context, operation, control)
  })
}

/**
 * Brings back what is live: in the app's turn, or a release that becomes live meanwhile would be undone.
 * @returns the change that runs, when one does: then it is for later
 */
async function convergeUnlessChanging(
  context: Context,
  app: string,
  control: Control,
): Promise<Operation | null> {
  return await context.turns.run(app, control.signal, async () => {
    const change = await changeOf(context, app)
    if (change) return context.running.has(change.id) ? change : null
    // Deleted while it waited for its turn.
    if (await context.store.apps.get(app)) await convergeApp(context, app, control)
    return null
  })
}

import type { Control } from '../../domain/control.ts'
import { codeOf } from '../../domain/error.ts'
import type { Operation } from '../../domain/operation.ts'
import { abortable } from '../../lib/deadline.ts'
import { mapBounded } from '../../lib/semaphore.ts'
import type { Context } from '../context.ts'
import { bringBack } from './bring-back.ts'
import { buildTurn, changeOf, turnOf } from './start-operation.ts'
import { takeUp } from './take-up.ts'

/**
 * Takes up what a dead daemon left: every open row of the journal is finished or undone, then every live plan is
 * brought about again. Failures are logged and do not keep the others waiting. To be called after a start, and whenever
 * the engine comes back.
 * @returns false when something failed: to be called again
 */
export async function recover(context: Context, control: Control): Promise<boolean> {
  const results = [await attempt(context, control, 'end lost builds', () => failLostBuilds(context, control))]
  for (const operation of await context.store.operations.running()) {
    const what = `recover ${operation.kind} ${operation.id}`
    results.push(await attempt(context, control, what, () => takeUpLeft(context, operation, control)))
  }
  return [...results, ...(await convergeAll(context, control))].every(Boolean)
}

/** A row that is open and not worked at here was left by a daemon that is no more. */
async function takeUpLeft(context: Context, left: Operation, control: Control): Promise<void> {
  await context.turns.run(turnOf(left), control.signal, async () => {
    const operation = await context.store.operations.get(left.id)
    const isLeft = operation?.status === 'running' && !context.running.has(left.id)
    if (isLeft) await takeUp(context, operation, control)
  })
}

/** A crash between a build and its row leaves a build that nothing would ever end. */
async function failLostBuilds({ store, turns }: Context, control: Control): Promise<void> {
  const unfinished = ['created', 'running'] as const
  for (const { app, id } of await store.builds.inStatus([...unfinished])) {
    await turns.run(buildTurn(app), control.signal, async () => {
      const hasRow = (await store.operations.running()).some(({ intent }) => intent.build === id)
      const status = (await store.builds.get(app, id))?.status
      const isLost = !hasRow && (status === 'created' || status === 'running')
      if (isLost) await store.builds.fail(id, 'the daemon ended before it began')
    })
  }
}

/** Whether it went well, for each app. */
async function convergeAll(context: Context, control: Control): Promise<boolean[]> {
  const changing: string[] = []
  const converge = async (app: string) =>
    await attempt(context, control, `converge ${app}`, async () => {
      if (!(await isConverged(context, app, control))) changing.push(app)
    })
  const apps = await context.store.apps.list()
  const results = await mapBounded(apps, 2, async ({ name }) => await converge(name))
  // A change that the engine's absence has ended may have left less than what was live.
  for (let app = changing.shift(); app !== undefined && !control.signal.aborted; app = changing.shift()) {
    const change = await changeOf(context, app)
    if (change) await abortable(context.running.ended(change.id), control.signal)
    results.push(await converge(app))
  }
  return results
}

/**
 * Brings back what is live: in the app's turn, or a release that becomes live meanwhile would be undone. False while
 * a change runs.
 */
async function isConverged(context: Context, app: string, control: Control): Promise<boolean> {
  return await context.turns.run(app, control.signal, async () => {
    const change = await changeOf(context, app)
    if (change) return !context.running.has(change.id)
    // Deleted while it waited for its turn.
    if (!(await context.store.apps.get(app))) return true
    await bringBack(context, app, control)
    return true
  })
}

async function attempt(
  context: Context,
  { signal }: Control,
  what: string,
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (signal.aborted) return false
    context.log('error', `${what} failed`, {
      code: codeOf(error),
      reason: error instanceof Error ? error.message : '',
    })
    return false
  }
}

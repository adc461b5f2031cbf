import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import type { Operation } from '../../domain/operation.ts'
import { mapBounded } from '../../lib/semaphore.ts'
import type { Context } from '../context.ts'
import { livePlanOf } from '../read-release.ts'
import { changeOf } from './start-operation.ts'
import { takeUp } from './take-up.ts'

/**
 * Takes up what a dead daemon left: every open row of the journal is finished or undone, then every live plan is
 * brought about again. Failures are logged and do not keep the others waiting. To be called after a start, and whenever
 * the engine comes back.
 */
export async function recover(context: Context, control: Control): Promise<void> {
  await failLostBuilds(context)
  for (const operation of await context.store.operations.running()) {
    await attempt(context, `recover ${operation.kind} ${operation.id}`, () =>
      takeUpLeft(context, operation, control),
    )
  }
  await convergeAll(context, control)
}

/** A row that is open and not worked at here was left by a daemon that is no more. */
async function takeUpLeft(context: Context, { id, app }: Operation, control: Control): Promise<void> {
  await context.turns.run(app, control.signal, async () => {
    const operation = await context.store.operations.get(id)
    if (operation?.status === 'running' && !context.running.has(id)) await takeUp(context, operation, control)
  })
}

async function convergeAll(context: Context, control: Control): Promise<void> {
  const live = (await context.store.apps.list()).filter(({ release }) => release !== null)
  const changing: string[] = []
  const converge = (app: string) =>
    attempt(context, `converge ${app}`, async () => {
      if (!(await isConverged(context, app, control))) changing.push(app)
    })
  await mapBounded(live, 2, ({ name }) => converge(name))
  // A change that the engine's absence has ended may have left less than what was live.
  for (let app = changing.shift(); app !== undefined && !control.signal.aborted; app = changing.shift()) {
    const change = await changeOf(context, app)
    if (change) await context.running.ended(change.id)
    await converge(app)
  }
}

/** Brings the live plan about in the app's turn, or nothing would keep a newer one from being undone; false while a change runs. */
async function isConverged(context: Context, app: string, control: Control): Promise<boolean> {
  return context.turns.run(app, control.signal, async () => {
    if (await changeOf(context, app)) return false
    const plan = await livePlanOf(context, app)
    if (plan) await context.engine.deploy(plan, control)
    return true
  })
}

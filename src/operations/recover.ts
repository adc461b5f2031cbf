import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Operation } from '../domain/operation.ts'
import { mapBounded } from '../lib/semaphore.ts'
import { carryOut, planTarget } from './change-live.ts'
import type { Context } from './context.ts'
import { carryOutDeletion } from './delete-app.ts'
import { livePlanOf } from './read-release.ts'

/**
 * Takes up what a dead daemon left: every open row of the journal is finished or undone, then every live plan is
 * brought about again. Failures are logged and do not keep the others waiting.
 */
export async function recover(context: Context, control: Control): Promise<void> {
  for (const operation of await context.store.operations.running()) {
    await attempt(context, `recover ${operation.kind} ${operation.id}`, () =>
      takeUp(context, operation, control),
    )
  }
  await convergeAll(context, control)
}

/** Brings about every live plan: after a start, and whenever the engine comes back. */
export async function convergeAll(context: Context, control: Control): Promise<void> {
  const busy = new Set((await context.store.operations.running()).map(({ app }) => app))
  const live = (await context.store.apps.list()).filter(
    ({ name, release }) => release !== null && !busy.has(name),
  )
  await mapBounded(live, 2, ({ name }) =>
    attempt(context, `converge ${name}`, async () => {
      const plan = await livePlanOf(context, name)
      if (plan) await context.engine.deploy(plan, control)
    }),
  )
}

async function takeUp(context: Context, operation: Operation, control: Control): Promise<void> {
  switch (operation.kind) {
    case 'build':
      return closeBuild(context, operation)
    case 'delete':
      return carryOutDeletion(context, operation, control)
    case 'run':
      return context.store.operations.fail(operation.id, 'failed', interrupted)
    default:
      return context.running.run(operation.id, (signal) =>
        finishOrUndo(context, operation, { ...control, signal: AbortSignal.any([signal, control.signal]) }),
      )
  }
}

/** Goes forward first: the copies may be there already. What cannot be finished goes back to what was live. */
async function finishOrUndo(context: Context, operation: Operation, control: Control): Promise<void> {
  const { app, intent } = operation
  const { release, formation, restart } = intent
  if (!release) return context.store.operations.fail(operation.id, 'failed', interrupted)
  try {
    const plan = await planTarget(context, { app, release, formation, restart })
    await carryOut(context, operation, plan, control)
  } catch (error) {
    context.log('warn', `${operation.kind} ${operation.id} of ${app} is undone`, { code: codeOf(error) })
    const live = await livePlanOf(context, app)
    if (live) await context.engine.deploy(live, control)
    else await context.engine.remove(app, { volumes: false }, control)
    const isOpen = (await context.store.operations.get(operation.id))?.status === 'running'
    if (isOpen)
      await context.store.operations.fail(operation.id, 'failed', interrupted, live ? 'running' : 'failed')
  }
}

const interrupted = { code: 'cancelled', message: 'the daemon ended while this ran' }

async function closeBuild({ store, objects }: Context, { id, app, intent }: Operation): Promise<void> {
  if (intent.build) {
    const build = await store.builds.get(app, intent.build)
    if (build?.status === 'created' || build?.status === 'running')
      await store.builds.fail(intent.build, interrupted.message)
    await objects.remove(`sources/${app}/${intent.build}.tar`)
  }
  await store.operations.fail(id, 'failed', interrupted)
}

async function attempt(context: Context, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    context.log('error', `${what} failed`, {
      code: codeOf(error),
      reason: error instanceof Error ? error.message : '',
    })
  }
}

function codeOf(error: unknown): string {
  return error instanceof RackError ? error.code : 'internal'
}

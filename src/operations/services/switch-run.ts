import type { Control } from '../../domain/control.ts'
import type { Service, ServiceRun } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { deployService, noteSaid, planOfRun, untilReady } from './bring-up.ts'
import { dropVolumes, otherVolumes } from './stage.ts'

/** How long the way back may take, whatever was cancelled. */
const backMs = 300_000

/**
 * Has a service run otherwise from now on, on volumes that hold all that they shall: it is stopped, and started anew.
 * Written down first, so that a daemon that dies in between is followed by one that goes on. What fails wants `runAgain`.
 */
export async function switchRun(
  context: Context,
  service: Service,
  { from, to }: { from: ServiceRun; to: ServiceRun },
  control: Control,
): Promise<void> {
  const { name } = service
  await context.store.services.change(name, { run: to })
  const plan = await planOfRun(context, service, to)
  const before = await planOfRun(context, service, from)
  await deployService(context, plan, { isNew: false, from: before }, control)
  await noteSaid(context, name, await untilReady(context, service, control))
}

/** Has a service run as it did, and drops what was made for it to run otherwise. Under a signal of its own. */
export async function runAgain(context: Context, service: Service, run: ServiceRun): Promise<void> {
  await context.store.services.change(service.name, { run })
  await startAgain(context, service, run)
  const control = { signal: AbortSignal.timeout(backMs), report: () => undefined }
  await dropVolumes(context, service.name, await otherVolumes(context, service.name, run, control), control)
}

/** Has a service that was stopped run again; settles when it answers. Under a signal of its own. */
export async function startAgain(context: Context, service: Service, run: ServiceRun): Promise<void> {
  const control = { signal: AbortSignal.timeout(backMs), report: () => undefined }
  await deployService(context, await planOfRun(context, service, run), { isNew: false }, control)
  await untilReady(context, service, control)
}

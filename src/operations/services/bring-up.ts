import type { Control } from '../../domain/control.ts'
import { noReleaseCommands } from '../../domain/engine.ts'
import { isOneOf, RackError } from '../../domain/error.ts'
import type { Owner } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import type { Service, ServiceRun } from '../../domain/service.ts'
import { planService } from '../../domain/service-plan.ts'
import { DeadlineError } from '../../lib/deadline.ts'
import { until } from '../../lib/poll.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { runInside } from './run-inside.ts'
import { isOpen } from './sharing/entrance.ts'

/** A new database writes its files first, on a disk that may be slow. */
const readyDeadlineMs = 180_000

export function serviceOwner(name: string): Owner {
  return { kind: 'service', name }
}

/** The plan by which a service runs; null for one that somebody else runs. */
export async function servicePlan(context: Context, service: Service): Promise<Plan | null> {
  const run = await context.store.services.run(service.name)
  return run && (await planOfRun(context, service, run))
}

/** The plan by which a service would run so, with what others have of it today. */
export async function planOfRun(context: Context, service: Service, run: ServiceRun): Promise<Plan> {
  const { store, rack } = context
  const open = (await store.shares.list()).filter((share) => isOpen(share, context.now()))
  const shares = open.filter((share) => share.service === service.name)
  return planService({
    rack: rack.name,
    service,
    run,
    shares: shares.map(({ id, allow }) => ({ id, allow })),
  })
}

interface Deploying {
  isNew: boolean
  /** What is live, to go back to; the plan itself when absent. */
  from?: Plan
  /** Has it replaced, however it runs. */
  restartAt?: string | null
  only?: string[]
}

/** Makes it run as it shall; a copy that does stays. */
export async function deployService(
  { engine }: Context,
  plan: Plan,
  { isNew, from = plan, restartAt = null, only }: Deploying,
  control: Control,
): Promise<void> {
  const processes = plan.processes.map((main) => ({ ...main, replaceBefore: restartAt }))
  const live = isNew ? null : from
  const rest = { leaving: [], releaseCommands: noReleaseCommands, only }
  await engine.deploy({ plan: { ...plan, processes }, live, ...rest }, control)
}

/**
 * Settles when the service takes a login and answers, with what it says that it is; null for a type that proves nothing
 * beyond its port, which the engine has proved.
 * @param copy the process that is asked; that which is the service when absent
 * @throws service-failed with what it said last, once it has had its time
 */
export async function untilReady(
  context: Context,
  { name, type, copy }: Pick<Service, 'name' | 'type'> & { copy?: string },
  control: Control,
): Promise<string | null> {
  const ready = findServiceType(type)?.ready
  if (!ready) return null
  let refusal = ''
  const answer = async (signal: AbortSignal): Promise<{ says: string } | null> => {
    const own = { ...control, signal }
    const id = copy ?? (await runningCopy(context, name, own))
    if (id === null) return null
    try {
      return { says: await runInside(context.engine, id, { inside: ready }, own) }
    } catch (error) {
      if (!isOneOf(error, 'service-failed', 'conflict', 'not-found')) throw error
      refusal = error.message
      return null
    }
  }
  const wait = {
    deadlineMs: readyDeadlineMs,
    intervalMs: 500,
    what: `${name} to answer`,
    signal: control.signal,
  }
  try {
    return (await until(answer, wait)).says
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    throw new RackError(
      'service-failed',
      `${name} takes no login within ${readyDeadlineMs / 1000} s: ${refusal}`,
      {
        hint: `See what it says: rack services logs ${name}`,
        cause: error,
      },
    )
  }
}

/** The process that is a service; null where it does not run. */
export async function runningCopy(
  { engine }: Pick<Context, 'engine'>,
  name: string,
  control: Control,
): Promise<string | null> {
  const copies = await engine.processes({ owner: serviceOwner(name) }, control)
  return copies.find(({ kind, status }) => kind === 'process' && status === 'running')?.id ?? null
}

/** Keeps what the server says that it is. */
export async function noteSaid({ store }: Context, name: string, says: string | null): Promise<void> {
  const run: ServiceRun | null = await store.services.run(name)
  if (run && says !== null && run.says !== says) await store.services.change(name, { run: { ...run, says } })
}

import type { Control } from '../../domain/control.ts'
import type { Service, ServiceRun } from '../../domain/service.ts'
import { until } from '../../lib/poll.ts'
import type { Context } from '../context.ts'
import { deployService, planOfRun, serviceOwner } from './bring-up.ts'

/** Settles when nothing has its volumes any more. */
export async function stopService(
  context: Context,
  service: Service,
  run: ServiceRun,
  control: Control,
): Promise<void> {
  const plan = await planOfRun(context, service, run)
  const processes = plan.processes.map((main) => ({ ...main, count: 0 }))
  await deployService(context, { ...plan, processes }, { isNew: false, from: plan }, control)
  const owner = serviceOwner(service.name)
  const isFree = async () => {
    const found = await context.engine.processes({ owner, all: true }, control)
    return found.every(({ kind, ended }) => kind !== 'process' || ended !== null)
  }
  const wait = { deadlineMs: run.stopGraceMs + 60_000, what: `${service.name} to stop` }
  await until(isFree, { ...wait, signal: control.signal })
}

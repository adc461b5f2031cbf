import type { Control } from '../../../domain/control.ts'
import { startDeadline } from '../../../lib/deadline.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { nameCopy, removeCopy, setRestartPolicy, startCopy, toCopy } from '../containers/copies.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import type { AppRoutes } from '../router/route-table.ts'
import type { Deploy } from './start-type.ts'

const undoDeadlineMs = 120_000

/** A deploy that failed, with what it had begun. */
export interface FailedDeploy extends Deploy {
  control: Control
  before: AppRoutes | null
  isRouted: boolean
}

/**
 * Leaves the app as it was before the deploy. Uses a signal of its own, since the caller's may be what ended it. What
 * cannot be undone now, because the engine is away, is told of and left to the next deploy, which sees it as debris.
 */
export async function undoDeploy(deploy: FailedDeploy): Promise<void> {
  const { parts, plan, started, parked, before, control } = deploy
  using deadline = startDeadline({ deadlineMs: undoDeadlineMs, what: 'a deploy to be undone' })
  const own: Control = { signal: deadline.signal, report: control.report }
  await deploy.trace.phase('undo', null, async () => {
    if (deploy.isRouted) await trying(own, 'the routes', () => leaveRoutes(deploy, own))
    await mapBounded(started, 4, (copy) => trying(own, copy.process, () => removeCopy(parts, copy, own)))
    await mapBounded(parked, 4, (copy) => trying(own, copy.process, () => unpark(deploy, copy, own)))
    // Parking took its copies out of the router's table.
    const hasMoved = deploy.isRouted || parked.length > 0
    if (hasMoved) await trying(own, 'the routes', () => parts.router.apply(plan.app, before, own))
  })
}

/** New copies get no more requests; the old ones that still run take all of them. */
async function leaveRoutes(
  { parts, plan, started, parked, before }: FailedDeploy,
  control: Control,
): Promise<void> {
  const stopped = new Set(parked.map(({ process }) => process))
  await parts.router.apply(plan.app, withoutServers(before, stopped), control)
  const processes = started.map(({ process }) => process)
  await parts.router.retire({ app: plan.app, processes, deadlineMs: 5000 }, control)
}

async function unpark({ parts }: FailedDeploy, found: FoundCopy, control: Control): Promise<void> {
  const copy = toCopy(found)
  parts.leaving.delete(found.process)
  await startCopy(parts, copy, control)
  const names = found.aliases.filter((alias) => !found.container.startsWith(alias))
  await nameCopy(parts, copy, names, control)
  await setRestartPolicy(parts, copy, found.restartPolicy, control)
}

function withoutServers(routes: AppRoutes | null, gone: ReadonlySet<string>): AppRoutes | null {
  if (!routes) return null
  const strip = <R extends AppRoutes['http'][number] | AppRoutes['tcp'][number]>(route: R): R => {
    const servers = route.backend.servers.filter(({ process }) => !gone.has(process))
    return { ...route, backend: { ...route.backend, servers } }
  }
  return { ...routes, http: routes.http.map(strip), tcp: routes.tcp.map(strip) }
}

async function trying(control: Control, what: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const text = `could not undo ${what}: ${why}; the next deploy will`
    control.report({ type: 'log', text, time: new Date().toISOString() })
  }
}

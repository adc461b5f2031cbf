import type { AwsClients } from '../aws/clients.ts'
import { isAwsError } from '../aws/errors.ts'
import { untilOver } from '../aws/until-over.ts'
import type { Control } from '../domain/control.ts'

/** The service of ECS that runs a rack's daemon. */
export interface DaemonPlace {
  cluster: string
  service: string
}

/** How it is. */
export interface DaemonState {
  /** How many tasks there should be: one, or none where it is stopped. */
  desired: number
  running: number
  /** What ECS has said of it last. */
  lastEvent: string | null
}

type Ecs = Pick<AwsClients['ecs'], 'describeServices' | 'updateService'>

/** Null where it is gone. */
export async function readDaemonState(
  ecs: Ecs,
  { cluster, service }: DaemonPlace,
  { signal }: Pick<Control, 'signal'>,
): Promise<DaemonState | null> {
  try {
    const asked = { cluster, services: [service] }
    const { services = [] } = await ecs.describeServices(asked, { abortSignal: signal })
    const found = services.find(({ status }) => status === 'ACTIVE')
    if (!found) return null
    const { desiredCount: desired = 0, runningCount: running = 0, events = [] } = found
    return { desired, running, lastEvent: events[0]?.message ?? null }
  } catch (error) {
    if (isAwsError(error, 'ClusterNotFoundException')) return null
    throw error
  }
}

/** Has ECS start the daemon, and keep it there. Safe to repeat; nothing is waited for. */
export async function startDaemonService(
  ecs: Ecs,
  { cluster, service }: DaemonPlace,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  await ecs.updateService({ cluster, service, desiredCount: 1 }, { abortSignal: signal })
}

/** Its lead is given back within half a minute, and ECS sees that it has ended a little later. */
const stopDeadlineMs = 300_000

/** Has ECS end the daemon, and waits until it has. Safe to repeat. @throws timeout; ECS goes on with it */
export async function stopDaemonService(
  ecs: Ecs,
  place: DaemonPlace,
  { signal, intervalMs = 3000 }: Pick<Control, 'signal'> & { intervalMs?: number | undefined },
): Promise<void> {
  await ecs.updateService({ ...place, desiredCount: 0 }, { abortSignal: signal })
  const isOver = async () => ((await readDaemonState(ecs, place, { signal }))?.running ?? 0) === 0
  const what = `the daemon ${place.service} to end`
  await untilOver(isOver, { deadlineMs: stopDeadlineMs, intervalMs, what, signal })
}

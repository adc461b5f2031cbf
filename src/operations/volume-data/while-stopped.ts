import type { Control } from '../../domain/control.ts'
import { noReleaseCommands } from '../../domain/engine.ts'
import type { Operation } from '../../domain/operation.ts'
import { appOwner } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import { addResources, noResources } from '../../domain/rack.ts'
import { heldError, holderText, mountedVolumes } from '../../domain/volume.ts'
import { until } from '../../lib/poll.ts'
import type { Context } from '../context.ts'
import { say } from '../say.ts'
import { carryOut } from '../journal/carry-out.ts'
import { startChange } from '../journal/start-operation.ts'
import { livePlanOf } from '../read-release.ts'

/** How long the way back may take, whatever was cancelled. */
const backMs = 300_000

/** A volume as the engine has it, and who is meant by it. */
export interface MountedVolume {
  app: string
  /** By its name in the file. */
  name: string
  /** As the engine has it. */
  current: string
}

/**
 * Works while no process of the app that mounts a volume runs, and starts them again, whatever the end. A change of the
 * app like another: its row brings them back where the daemon dies, a cancel ends the work, and so does a caller who leaves.
 * @throws busy while another change runs; conflict where a one-off has the volume
 */
export async function whileStopped<T>(
  context: Context,
  volume: MountedVolume,
  control: Control,
  work: (control: Control) => Promise<T>,
): Promise<T> {
  const { app } = volume
  return await startChange(context, app, control, async () => {
    await refuseOneOffs(context, volume, control)
    const live = await livePlanOf(context, app)
    const intent = { release: live?.release ?? '', previousRelease: live?.release ?? null }
    const operation = await context.store.operations.begin(app, 'restart', context.caller.name, intent)
    return {
      operation,
      async work(signal) {
        const own = { ...control, signal: AbortSignal.any([signal, control.signal]) }
        return await stopAround(context, { volume, live, operation }, own, work)
      },
    }
  })
}

interface Stopping {
  volume: MountedVolume
  live: Plan | null
  operation: Operation
}

async function stopAround<T>(
  context: Context,
  { volume, live, operation }: Stopping,
  control: Control,
  work: (control: Control) => Promise<T>,
): Promise<T> {
  if (!live) throw heldError(appOwner(volume.app), volume.name, [])
  const room = live.processes.reduce((sum, one) => addResources(sum, one, one.count), noResources)
  using _room = context.admission.hold(volume.app, room)
  try {
    await stopTypes(context, { volume, live }, control)
    return await work(control)
  } finally {
    // The next start brings them back.
    if (!context.running.isInterrupted()) {
      say(context, control, `starting ${typesOf(live, volume).join(', ')} again`)
      const back = { ...control, signal: AbortSignal.timeout(backMs) }
      await carryOut(context, operation, { plan: live, live }, back)
    }
  }
}

/** Settles when none of them runs any more. */
async function stopTypes(
  context: Context,
  { volume, live }: Omit<Stopping, 'operation'>,
  control: Control,
): Promise<void> {
  const { engine } = context
  const types = typesOf(live!, volume)
  say(context, control, `stopping ${types.join(', ')} until ${volume.name} is read`)
  const isStopped = (type: string) => types.includes(type)
  const processes = live!.processes.map((one) => (isStopped(one.type) ? { ...one, count: 0 } : one))
  const plan = { ...live!, processes }
  await engine.deploy({ plan, live, leaving: [], releaseCommands: noReleaseCommands, only: types }, control)
  const stopped = live!.processes.filter(({ type }) => isStopped(type))
  const graceMs = Math.max(...stopped.map(({ drainTimeoutMs, stopGraceMs }) => drainTimeoutMs + stopGraceMs))
  const owner = appOwner(volume.app)
  const isFree = async () => {
    const found = await engine.processes({ owner, all: true }, control)
    return found.every(({ type, ended }) => !isStopped(type) || ended !== null)
  }
  const wait = { deadlineMs: graceMs + 60_000, intervalMs: 200, what: `${types.join(', ')} to stop` }
  await until(isFree, { ...wait, signal: control.signal })
}

function typesOf({ processes }: Plan, { current }: MountedVolume): string[] {
  return processes.filter((one) => mountedVolumes(one).includes(current)).map(({ type }) => type)
}

/** Nobody starts a one-off again. @throws conflict naming those that run and have the volume */
export async function refuseOneOffs(
  { engine }: Context,
  { app, name, current }: MountedVolume,
  control: Control,
): Promise<void> {
  const owner = appOwner(app)
  const [found] = await engine.volumes({ owner, name: current }, control)
  const running = (await engine.processes({ owner }, control)).filter(({ ended }) => ended === null)
  const ids = new Set(running.map(({ id }) => id))
  const others = (found?.holders ?? []).filter(
    ({ process: id, kind }) => kind !== 'process' && kind !== 'agent' && ids.has(id),
  )
  if (others.length > 0) throw heldError(owner, name, others.map(holderText))
}

/** Types of the live release of which processes run and have a volume. */
export async function runningTypes(
  context: Context,
  volume: MountedVolume,
  control: Control,
): Promise<string[]> {
  const live = await livePlanOf(context, volume.app)
  const types = live ? typesOf(live, volume) : []
  const running = await context.engine.processes({ owner: appOwner(volume.app) }, control)
  return types.filter((type) => running.some((one) => one.type === type && one.ended === null))
}

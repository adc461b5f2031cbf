import { admitExtra } from '../../../domain/admission.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { ownerKey } from '../../../domain/owner.ts'
import type { Service, ServiceRun } from '../../../domain/service.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { serviceOwner } from '../bring-up.ts'
import { createLoginsAgain } from '../logins.ts'
import { isManaged } from '../managed.ts'
import { imageFor } from '../run-service.ts'
import { findCopy, versionOf } from '../running-service.ts'
import type { ServiceInfo } from '../service-info.ts'
import { changeService } from '../service-work.ts'
import { getService } from '../services.ts'
import { dropVolumes, otherVolumes } from '../stage.ts'
import { runAgain, switchRun } from '../switch-run.ts'
import { findRun, wantedOf } from './plan-update.ts'
import { changeManaged, wantedOfManaged } from './change-managed.ts'
import type { UpdatedService, UpdateRequest } from './update-operations.ts'
import { upgradeData } from './upgrade-data.ts'

/**
 * Changes how a service runs: its version, CPU or memory. It is stopped and started for that; where the new version has
 * other files, its data goes through a dump into a new volume, and the old one is kept until `finishUpdate`. What fails, or
 * takes longer than it may, leaves the service as it was.
 * @throws as `planUpdate`; capacity; image-unavailable; timeout; service-failed
 */
export async function updateService(
  context: Context,
  name: string,
  { pauseMs, ...change }: UpdateRequest,
  control: Control,
): Promise<UpdatedService> {
  const done = await changeService(context, name, control, async (own) =>
    // The image is named by nothing before the service runs on it.
    context.images.whileMaking(own.signal, async () => {
      const { service, run: from } = await findRun(context, name)
      if (isManaged(from)) {
        const wanted = wantedOfManaged(service, from, change)
        if (wanted.kind === 'nothing') return { pausedMs: null, backup: null }
        return await changeManaged(context, service, wanted, own)
      }
      const { kind, ...wanted } = wantedOf(service, from, change)
      if (kind === 'nothing') return { pausedMs: null, backup: null }
      using _room = await admit(context, service, { kind, from, wanted }, own)
      await dropVolumes(context, name, await otherVolumes(context, name, from, own), own)
      const to = { ...from, ...wanted, built: await imageFor(context, service, from, wanted.image, own) }
      try {
        if (kind === 'restart') return await restartAs(context, service, { from, to }, own)
        const next = nextRun(service, from, to)
        return await upgradeData(context, service, { from, to: next, pauseMs }, own)
      } catch (error) {
        if (!context.running.isInterrupted()) await runAgain(context, service, from)
        throw error
      }
    }),
  )
  return { service: await getService(context, name, control), ...done }
}

/** An upgrade has two of them at once; a restart what is more than before. */
async function admit(
  context: Context,
  { name, type }: Service,
  {
    kind,
    from,
    wanted,
  }: { kind: string; from: ServiceRun; wanted: Pick<ServiceRun, 'cpuUnits' | 'memoryBytes'> },
  control: Control,
): Promise<Disposable> {
  const before = kind === 'upgrade' ? { cpuUnits: 0, memoryBytes: 0 } : from
  const extra = {
    cpuUnits: Math.max(0, wanted.cpuUnits - before.cpuUnits),
    memoryBytes: Math.max(0, wanted.memoryBytes - before.memoryBytes),
  }
  const ask = (capacity: Parameters<typeof admitExtra>[3]) => admitExtra(type, extra, 1, capacity)
  return await context.admission.admit(ownerKey(serviceOwner(name)), `the update of ${name}`, ask, control)
}

async function restartAs(
  context: Context,
  service: Service,
  runs: { from: ServiceRun; to: ServiceRun },
  control: Control,
): Promise<Omit<UpdatedService, 'service'>> {
  const began = context.now().getTime()
  await switchRun(context, service, runs, control)
  return { pausedMs: context.now().getTime() - began, backup: null }
}

/** As its type runs the new version, on volumes of its own; the old one is kept beside it. */
function nextRun({ type: word }: Service, from: ServiceRun, to: ServiceRun): ServiceRun {
  const type = findServiceType(word)!
  const dataPath = type.dataPath(versionOf(to.image))
  return {
    ...to,
    command: type.command && [...type.command],
    stopGraceMs: type.stopGraceMs,
    dataPaths: dataPath === null ? [] : [dataPath],
    says: null,
    generation: (from.generation ?? 1) + 1,
    previous: from,
  }
}

/**
 * Ends what an upgrade has kept: drops the old data, or with `undo` goes back to it, and loses what was written since.
 * @throws not-found; conflict where nothing is kept
 */
export async function finishUpdate(
  context: Context,
  name: string,
  { undo }: { undo: boolean },
  control: Control,
): Promise<ServiceInfo> {
  await changeService(context, name, control, async (own) => {
    const { service, run: from } = await findRun(context, name)
    const { previous, ...rest } = from
    if (!previous) throw new RackError('conflict', `nothing is kept of what ${name} was before an update`)
    const to = undo ? previous : rest
    if (undo) {
      try {
        await switchRun(context, service, { from, to }, own)
        await createLoginsAgain(context, service, await findCopy(context, name, own), own)
      } catch (error) {
        if (!context.running.isInterrupted()) await runAgain(context, service, from)
        throw error
      }
    } else await context.store.services.change(name, { run: to })
    await dropVolumes(context, name, await otherVolumes(context, name, to, own), own)
  })
  return await getService(context, name, control)
}

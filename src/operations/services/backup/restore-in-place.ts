import { admitExtra } from '../../../domain/admission.ts'
import type { Backup } from '../../../domain/backup.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { ownerKey } from '../../../domain/owner.ts'
import { refuseUnready, type Service, type ServiceRun } from '../../../domain/service.ts'
import type { DataCare } from '../../../services/service-type.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { serviceOwner } from '../bring-up.ts'
import { createLoginsAgain } from '../logins.ts'
import { refuseManaged } from '../managed.ts'
import { refuseLinked } from '../refuse-linked.ts'
import { versionOf } from '../running-service.ts'
import { changeService } from '../service-work.ts'
import { findService } from '../services.ts'
import { dropVolumes, openStage, otherVolumes } from '../stage.ts'
import { runAgain, switchRun } from '../switch-run.ts'
import { restoreService } from './dump-service.ts'
import { restoreFiles } from './service-files.ts'
import { checkBackup, openBackup } from './kept-backups.ts'

interface InPlace {
  data: DataCare
  /** Although apps link it: what they have written since the backup is lost. */
  force: boolean
}

/**
 * Puts a backup into the service that it was of: into a new volume, by a server that no app reaches. The service runs on
 * until all is there, then it is stopped, and is there again with what was put back; its old volume goes. What fails leaves
 * it as it was.
 * @throws conflict for one that apps link, unless `force`, and for one of another type; invalid for a damaged backup or a
 * newer one; capacity, since two of them run at once; service-failed
 */
export async function restoreInPlace(
  context: Context,
  backup: Backup,
  { data, force }: InPlace,
  control: Control,
): Promise<void> {
  const name = backup.service
  // From here on `cancelService` ends it.
  control.signal.throwIfAborted()
  await changeService(context, name, control, async (own) => {
    const { service, run } = await refuse(context, backup, { data, force })
    say(context, own, `reading ${backup.id} before anything is touched`)
    await checkBackup(context, backup)
    own.signal.throwIfAborted()
    // One whose files are copied has no second server.
    using _room = data.isVolume
      ? null
      : await context.admission.admit(
          ownerKey(serviceOwner(name)),
          `a second ${name} beside the service`,
          (capacity) => admitExtra(service.type, run, 1, capacity),
          own,
        )
    const to = { ...run, generation: (run.generation ?? 1) + 1 }
    await dropVolumes(context, name, await otherVolumes(context, name, run, own), own)
    try {
      say(context, own, `putting ${backup.id} into a new volume; ${name} serves meanwhile`)
      await fillService(context, { service, run: to, data, archive: openBackup(context, backup) }, own)
      say(context, own, `all of it is there; ${name} is stopped now, and started with it`)
      await switchRun(context, service, { from: run, to }, own)
    } catch (error) {
      if (!context.running.isInterrupted()) await runAgain(context, service, run)
      throw error
    }
    await dropVolumes(context, name, await otherVolumes(context, name, to, own), own)
  })
}

/** What may be known with nothing touched. */
async function refuse(
  context: Context,
  { id, service: name, type, version }: Backup,
  { data, force }: InPlace,
): Promise<{ service: Service; run: ServiceRun }> {
  const service = await findService(context, name)
  refuseUnready(service)
  const run = await context.store.services.run(name)
  const elsewhere = `Make a service of it: rack services restore ${id} --into NAME`
  if (!run || service.type !== type) {
    throw new RackError('conflict', `${id} is of a ${type}, and ${name} is a ${service.type} now`, {
      hint: elsewhere,
    })
  }
  refuseManaged(service, run, 'nothing is put back in place')
  if (!data.canRestore(version, versionOf(run.image))) {
    throw new RackError('invalid', `${id} is of version ${version}, which ${run.image} does not take`, {
      hint: elsewhere,
    })
  }
  if (!force) {
    const loss = 'what they have written since is lost'
    const hint = `Do it all the same: rack services restore ${id} --force; or beside it: --into NAME`
    await refuseLinked(context, name, { loss, hint })
  }
  return { service, run }
}

interface Filling {
  service: Service
  /** Nothing runs on its volumes yet. */
  run: ServiceRun
  data: DataCare
  /** Of its data, in zstd. */
  archive: AsyncIterable<Uint8Array>
}

/** Puts all that is in an archive into volumes of a service, and the logins that links have today. */
export async function fillService(
  context: Context,
  { service, run, data, archive }: Filling,
  control: Control,
): Promise<void> {
  if (data.isVolume) return await restoreFiles(context, { service, run }, archive, control)
  await using stage = await openStage(context, service, run, control)
  const own = { ...control, signal: stage.signal }
  const { copy } = stage
  await restoreService({ engine: context.engine, copy, data }, archive, own)
  if (data.restartsAfterRestore) await stage.restart()
  await createLoginsAgain(context, service, stage.copy, own)
  await stage.end()
}

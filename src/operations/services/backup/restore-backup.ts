import { volumeBackup, type Backup } from '../../../domain/backup.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { checkServiceName } from '../../../domain/service.ts'
import type { DataCare, ServiceType } from '../../../services/service-type.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { deployService, servicePlan, untilReady } from '../bring-up.ts'
import { createLoginsAgain } from '../logins.ts'
import { refuseUnmanaged, refuseWithheld } from '../managed.ts'
import { runService } from '../run-service.ts'
import { findCopy, noneOf } from '../running-service.ts'
import type { ServiceInfo } from '../service-info.ts'
import { getService } from '../services.ts'
import { dropVolumes, otherVolumes } from '../stage.ts'
import { switchRun } from '../switch-run.ts'
import type { RestoreRequest } from './backup-operations.ts'
import { restoreService } from './dump-service.ts'
import { checkBackup, findBackup, openBackup } from './kept-backups.ts'
import { restoreInPlace } from './restore-in-place.ts'
import { restoreFiles } from './service-files.ts'

/**
 * Makes a service of a backup: one that is there when all of it was put back, and not before. With `inPlace` it is put into
 * the service that it was of, as `restoreInPlace` says.
 * @throws not-found; invalid for a backup that is damaged, or of a newer version; exists; and as `createService` does
 */
export async function restoreBackup(
  context: Context,
  id: string,
  { into, version, managed = false, inPlace = false, force = false }: RestoreRequest,
  control: Control,
): Promise<ServiceInfo> {
  const backup = await findBackup(context, id)
  if (backup.type === volumeBackup) {
    throw new RackError('invalid', `${id} is of a volume, and not of a service`, {
      hint: `Put it back: rack volumes restore ${id} ${backup.service}`,
    })
  }
  const name = into ?? backup.service
  checkServiceName(name)
  const type = findServiceType(backup.type)
  if (!type?.data) throw noneOf({ name: backup.service, type: backup.type }, 'backup')
  const { data } = type
  if (inPlace) {
    if (into !== undefined || version !== undefined || managed)
      throw new RackError(
        'invalid',
        'what is put back in place is what it is: its name, its version, and who runs it',
      )
    await restoreInPlace(context, backup, { data, force }, control)
    return await getService(context, name, control)
  }
  refuseUnmanaged(context, type, { name, type: type.name, managed })
  refuseWithheld({ name, type: type.name }, managed, 'restore')
  refuseOlder(backup, data, version)
  if (await context.store.services.get(name)) throw taken(name, id)
  say(context, control, `reading ${id} before anything is touched`)
  await checkBackup(context, backup)
  // From here on only `deleteService` ends it.
  control.signal.throwIfAborted()
  if (data.isVolume) await makeOfFiles(context, backup, { name, image: version ?? backup.version }, control)
  else await makeOfParts(context, backup, { name, version, managed, type, data }, control)
  return await getService(context, name, control)
}

interface NewOfParts {
  name: string
  version: string | undefined
  managed: boolean
  type: ServiceType
  data: DataCare
}

async function makeOfParts(
  context: Context,
  backup: Backup,
  { name, version, managed, type, data }: NewOfParts,
  control: Control,
): Promise<void> {
  const asked = { name, type: type.name, version: version ?? backup.version, managed }
  await runService(context, type, asked, control, async (service, own) => {
    say(context, own, `putting ${backup.id} into ${name}`)
    const copy = await findCopy(context, name, own)
    await restoreService({ engine: context.engine, copy, data }, openBackup(context, backup), own)
    // Nothing is linked to it: whoever could log in when the backup was made cannot any more.
    await createLoginsAgain(context, service, copy, own)
    if (!data.restartsAfterRestore) return
    const plan = await servicePlan(context, service)
    await deployService(context, plan!, { isNew: false, restartAt: context.now().toISOString() }, own)
    await untilReady(context, service, own)
  })
}

/** What its image fills its first volume with is not what was in it: the files go into another. */
async function makeOfFiles(
  context: Context,
  backup: Backup,
  { name, image }: { name: string; image: string },
  control: Control,
): Promise<void> {
  const { type, port } = backup
  const asked = { name, type, image, ...(port !== undefined && { port }) }
  await runService(context, null, asked, control, async (service, own) => {
    say(context, own, `putting ${backup.id} into ${name}`)
    const from = (await context.store.services.run(name))!
    const to = { ...from, generation: 2 }
    await restoreFiles(context, { service, run: to }, openBackup(context, backup), own)
    await switchRun(context, service, { from, to }, own)
    await dropVolumes(context, name, await otherVolumes(context, name, to, own), own)
  })
}

function refuseOlder({ id, version: from }: Backup, data: DataCare, into: string | undefined): void {
  if (into === undefined || data.canRestore(from, into)) return
  throw new RackError('invalid', `${id} is of version ${from}, which ${into} does not take`, {
    hint: 'Leave --version out, or name a newer one.',
  })
}

function taken(name: string, id: string): RackError {
  return new RackError('exists', `there is a service "${name}" already`, {
    hint: `Leave --into out to put it into that one, or name a new one: rack services restore ${id} --into NAME`,
    details: { service: name },
  })
}

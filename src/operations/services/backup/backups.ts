import { appNamePattern } from '../../../domain/app.ts'
import { volumeBackup, type Backup, type BackupReason } from '../../../domain/backup.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { checkServiceName } from '../../../domain/service.ts'
import { compressZstd, decompressZstd } from '../../../lib/zstd.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { checkVolumeName } from '../../volume-data/current-volumes.ts'
import { findHosted } from '../hosted/hosted-type.ts'
import { refuseWithheld } from '../managed.ts'
import { noneOf, type RunningService } from '../running-service.ts'
import { findService } from '../services.ts'
import { aboutOf, dataArchive, withArchive, type Archive, type DataServer } from './archives.ts'
import {
  packBackup,
  verifyBackup,
  type AboutBackup,
  type PartStream,
  type PartSum,
} from './backup-archive.ts'
import { checkBackup, findBackup, keepBackup, newBackupId, openBackup, removeBackup } from './kept-backups.ts'

/** Whether a backup is being made, which is in no list yet. */
export function isUnderWay({ running }: Context, id: string): boolean {
  return running.has(workOf(id))
}

const workOf = (id: string) => `backup ${id}`

/**
 * Keeps a backup of a service; whoever asked may leave, which ends it. The service goes on, unless its files are all that is
 * known of it: then it is stopped, and started again.
 * @throws not-found; conflict; unsupported for a type that has none; disk-full; service-failed
 */
export async function backupService(
  context: Context,
  name: string,
  reason: BackupReason,
  control: Control,
): Promise<Backup> {
  return await withArchive(
    context,
    name,
    control,
    async (archive, own) => await keepArchive(context, archive, reason, own),
  )
}

/** The same, of a server that has the service's data. */
export async function backupOf(
  context: Context,
  server: DataServer,
  reason: BackupReason,
  control: Control,
): Promise<Backup> {
  return await keepArchive(context, dataArchive(context, server), reason, control)
}

async function keepArchive(
  context: Context,
  { about, says, content }: Archive,
  reason: BackupReason,
  control: Control,
): Promise<Backup> {
  say(context, control, `what is kept of ${about.service}: ${says}`)
  return await keepMade(context, reason, control, (own) => {
    let parts: PartSum[] = []
    return { content: content(own, (sums) => (parts = sums)), facts: () => ({ ...about, parts }) }
  })
}

/** Keeps a backup of what somebody brings, as if the service had given it. @throws what `parts` throw; disk-full */
export async function backupParts(
  context: Context,
  found: RunningService,
  parts: PartStream[],
  control: Control,
): Promise<Backup> {
  const about = aboutOf(context, found)
  return await keepMade(context, 'asked', control, () => {
    let sums: PartSum[] = []
    const content = compressZstd(packBackup(about, parts, (told) => (sums = told)))
    return { content, facts: () => ({ ...about, parts: sums }) }
  })
}

/**
 * Keeps an archive that was written elsewhere, once all of it was found whole.
 * @throws invalid for what is no archive; unsupported for one of a type that nobody knows
 */
export async function addBackup(
  context: Context,
  content: AsyncIterable<Uint8Array>,
  control: Control,
): Promise<Backup> {
  return await keepMade(context, 'asked', control, (_own, id) => {
    const facts = async () => {
      const { about, parts } = await verifyBackup(decompressZstd(openBackup(context, { id })))
      checkSubject(about)
      return { ...about, parts }
    }
    return { content, facts }
  })
}

/** Of what an archive says that it is. */
function checkSubject({ service, type }: AboutBackup): void {
  if (type === volumeBackup) {
    const [app = '', volume = '', ...more] = service.split('/')
    if (appNamePattern.test(app) && more.length === 0) return checkVolumeName(volume)
    throw new RackError('invalid', `the backup cannot be used: "${service}" is no volume of an app`)
  }
  checkServiceName(service)
  if (!findServiceType(type)?.data) throw noneOf({ name: service, type }, 'backup')
}

type Making = Pick<Parameters<typeof keepBackup>[1], 'content'> & { facts: Parameters<typeof keepBackup>[2] }

/** Whoever asked may leave, and the daemon may stop: either ends it, and nothing of it is left. */
export async function keepMade(
  context: Context,
  reason: BackupReason,
  control: Control,
  make: (own: Control, id: string) => Making,
): Promise<Backup> {
  const id = newBackupId()
  return await context.running.run(workOf(id), async (stopping) => {
    const own = { ...control, signal: AbortSignal.any([control.signal, stopping]) }
    const { content, facts } = make(own, id)
    return await keepBackup(context, { id, reason, content }, facts, own)
  })
}

/** The archive of a service, which nobody keeps. @throws as `backupService` does */
export async function dumpOut(
  context: Context,
  name: string,
  out: (chunk: Uint8Array) => Promise<void>,
  control: Control,
): Promise<void> {
  await withArchive(context, name, control, async ({ content }, own) => {
    for await (const chunk of content(own)) await out(chunk)
  })
}

/** The archive of a backup, once all of it was read. @throws not-found; invalid for one that is damaged */
export async function readBackupOut(
  context: Context,
  id: string,
  out: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const backup = await findBackup(context, id)
  await checkBackup(context, backup)
  for await (const chunk of openBackup(context, backup)) await out(chunk)
}

/** What a later backup will be, for people. @throws not-found; unsupported for a service without backups */
export async function tellBackup(context: Context, name: string): Promise<string> {
  const service = await findService(context, name)
  const run = await context.store.services.run(name)
  refuseWithheld(service, run?.managed !== undefined, 'backup')
  const data = (await findHosted(context, service))?.type.data ?? findServiceType(service.type)?.data
  if (!data) throw noneOf(service, 'backup')
  return data.says
}

/** @throws not-found */
export async function deleteBackup(context: Context, id: string): Promise<void> {
  await removeBackup(context, await findBackup(context, id))
}

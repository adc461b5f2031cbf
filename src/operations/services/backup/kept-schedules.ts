import type { BackupFailure, BackupSchedule } from '../../../domain/backup.ts'
import type { Control } from '../../../domain/control.ts'
import type { Objects } from '../../../domain/objects.ts'

/** Where schedules are kept: an object for each service that has one. */
export interface KeptSchedules {
  objects: Objects
}

const prefix = 'backup-schedules/'

export async function keepSchedule(
  { objects }: KeptSchedules,
  schedule: BackupSchedule,
  control: Control,
): Promise<void> {
  await objects.put(prefix + schedule.service, textOf(schedule), control)
}

export async function readSchedule(
  { objects }: KeptSchedules,
  service: string,
): Promise<BackupSchedule | null> {
  if ((await objects.size(prefix + service)) === null) return null
  const text = Buffer.concat(await Array.fromAsync(objects.get(prefix + service))).toString()
  const found = JSON.parse(text) as BackupSchedule
  // One that was written by an earlier Rack says nothing of failures.
  return { ...found, failed: found.failed ?? null }
}

/** Safe to repeat. */
export async function forgetSchedule({ objects }: KeptSchedules, service: string): Promise<void> {
  await objects.remove(prefix + service)
}

/** Services that have one, those too that are no more. */
export async function scheduledServices({ objects }: KeptSchedules): Promise<string[]> {
  return await Array.fromAsync(objects.list(prefix), ({ key }) => key.slice(prefix.length))
}

/** Keeps why a backup that was due is not there, or that the newest is. Nothing where no schedule is any more. */
export async function noteFailure(
  kept: KeptSchedules,
  service: string,
  failed: BackupFailure | null,
): Promise<void> {
  const schedule = await readSchedule(kept, service)
  if (!schedule) return
  const control = { signal: AbortSignal.timeout(30_000), report: () => undefined }
  await keepSchedule(kept, { ...schedule, failed }, control)
}

/** Why the last backup of a service by itself is not there; null where it is. */
export async function backupFailure(kept: KeptSchedules, service: string): Promise<BackupFailure | null> {
  return (await readSchedule(kept, service))?.failed ?? null
}

/** Whose last backup by itself is not there, and why; by service. */
export async function backupFailures(kept: KeptSchedules): Promise<Map<string, BackupFailure>> {
  const failures = new Map<string, BackupFailure>()
  for (const service of await scheduledServices(kept)) {
    const failed = await backupFailure(kept, service)
    if (failed) failures.set(service, failed)
  }
  return failures
}

async function* textOf(schedule: BackupSchedule): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(schedule))
}

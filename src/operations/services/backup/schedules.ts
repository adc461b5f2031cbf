import type { Backup, BackupSchedule } from '../../../domain/backup.ts'
import type { Control } from '../../../domain/control.ts'
import { codeOf, knownError, RackError } from '../../../domain/error.ts'
import { outlived, parseRetention } from '../../../domain/retention.ts'
import { lastCronTime } from '../../../lib/cron-times.ts'
import { readTimer } from '../../../manifest/keys/labels/timers.ts'
import type { Context } from '../../context.ts'
import { findService } from '../services.ts'
import { backupService, tellBackup } from './backups.ts'
import { listBackups, removeBackup } from './kept-backups.ts'
import {
  forgetSchedule,
  keepSchedule,
  noteFailure,
  readSchedule,
  scheduledServices,
} from './kept-schedules.ts'

/** @returns with what such a backup will be, for people; @throws invalid for a time table or a retention that is none; unsupported for a type without backups; not-found */
export async function setBackupSchedule(
  context: Context,
  service: string,
  { every, keep }: Pick<BackupSchedule, 'every' | 'keep'>,
  control: Control,
): Promise<BackupSchedule & { says: string }> {
  const says = await tellBackup(context, service)
  if (keep !== null) parseRetention(keep)
  const since = context.now().toISOString()
  const schedule = { service, every: readTable(every), keep, since, failed: null }
  await keepSchedule(context, schedule, control)
  return { ...schedule, says }
}

/** @throws not-found for a service that is none */
export async function getBackupSchedule(context: Context, name: string): Promise<BackupSchedule | null> {
  await findService(context, name)
  return await readSchedule(context, name)
}

/** Safe to repeat; backups stay. */
export async function removeBackupSchedule(context: Context, service: string): Promise<void> {
  await forgetSchedule(context, service)
}

/** Makes the backups whose time has come, as one daemon sees to it. */
export interface ScheduleKeeper {
  /** To be called every second or so; settles when it has begun what is due. */
  run(control: Control): Promise<void>
}

/** How often the schedules are read. */
const lookEveryMs = 20_000

/** What has been made says up to when a schedule was seen to: what a daemon that was away has missed is made once. */
export function createScheduleKeeper(context: Context): ScheduleKeeper {
  let lookedAt = -lookEveryMs
  const tried = new Map<string, string>()
  const running = new Set<string>()
  const make = async (schedule: BackupSchedule, control: Control) => {
    const { service } = schedule
    try {
      await backupService(context, service, 'schedule', control)
      await settle(context, schedule, control)
    } catch (error) {
      if (control.signal.aborted) return
      const reason = knownError(error).message
      context.log('error', `the service ${service} is not backed up`, { code: codeOf(error), reason })
      await tellFailure(context, service, reason)
    } finally {
      running.delete(service)
    }
  }
  return {
    async run(control) {
      const now = context.now()
      if (now.getTime() - lookedAt < lookEveryMs) return
      lookedAt = now.getTime()
      for (const schedule of await readSchedules(context)) {
        const { service } = schedule
        const backups = await listBackups(context, service)
        const since = [schedule.since, tried.get(service) ?? '', newestOf(backups)].sort().at(-1)!
        if (running.has(service) || !isDue(schedule, since, now)) continue
        running.add(service)
        tried.set(service, now.toISOString())
        void make(schedule, control)
      }
    },
  }
}

/** What follows a backup that is there: it is no failure of it, and is tried again behind the next one. */
async function settle(
  context: Context,
  { service, keep, failed }: BackupSchedule,
  { signal }: Control,
): Promise<void> {
  try {
    if (failed) await noteFailure(context, service, null)
    if (keep !== null) await removeOutlived(context, service, keep)
  } catch (error) {
    if (signal.aborted) return
    const facts = { code: codeOf(error), reason: knownError(error).message }
    context.log('warn', `backups of ${service} that have had their time are not removed yet`, facts)
  }
}

/** By an event, and in the schedule, until the next one is there. What cannot be told is in the log. */
async function tellFailure(context: Context, service: string, reason: string): Promise<void> {
  try {
    await context.store.services.tell(service, { backup: 'failed', reason })
    await noteFailure(context, service, { time: context.now().toISOString(), reason })
  } catch (error) {
    context.log('warn', `that ${service} is not backed up cannot be kept`, { code: codeOf(error) })
  }
}

/** Whether a time has come after one and not after another. */
function isDue({ every }: Pick<BackupSchedule, 'every'>, since: string, now: Date): boolean {
  const last = lastCronTime({ schedule: every, timezone: 'UTC' }, now)
  return last !== null && last > new Date(since)
}

async function removeOutlived(context: Context, service: string, keep: string): Promise<void> {
  const made = (await listBackups(context, service)).filter(({ reason }) => reason === 'schedule')
  for (const backup of outlived(made, parseRetention(keep))) await removeBackup(context, backup)
}

function newestOf(backups: Backup[]): string {
  return backups.find(({ reason }) => reason === 'schedule')?.created ?? ''
}

/** Of services that run; of those that are no more they go. */
async function readSchedules(context: Context): Promise<BackupSchedule[]> {
  const names = await scheduledServices(context)
  if (names.length === 0) return []
  const services = new Map((await context.store.services.list()).map((one) => [one.name, one.status]))
  const schedules: BackupSchedule[] = []
  for (const name of names) {
    if (!services.has(name)) await forgetSchedule(context, name)
    const schedule = services.get(name) === 'running' ? await readSchedule(context, name) : null
    if (schedule) schedules.push(schedule)
  }
  return schedules
}

/** @throws invalid */
function readTable(every: string): string {
  // As the table of a timer, whose command this is.
  const { timer, faults } = readTimer(`${every} backup`)
  if (timer?.command === 'backup') return timer.schedule
  const [fault] = faults
  const why = fault ? `${fault.part} ${fault.message}` : 'it has more than five fields'
  throw new RackError('invalid', `"${every}" is no time table: ${why}`, {
    hint: 'Minute, hour, day, month, weekday, in UTC: "30 3 * * *" is every night at half past three.',
  })
}

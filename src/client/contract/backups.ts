import * as z from 'zod'
import { backupReasons, type Backup, type BackupSchedule } from '../../domain/backup.ts'
import { paths } from '../paths.ts'
import { flag, nothing, op, time } from './op.ts'
import { terminalQuery } from './processes.ts'
import { backupFailure, serviceInfo, serviceParams } from './services.ts'

/** Of a service, or of a volume. */
export const backup = z
  .object({
    id: z.string(),
    service: z.string().describe('`APP/VOLUME` of a volume'),
    type: z.string().describe('`volume` of a volume'),
    version: z.string().describe('Of the service when it was made; of a volume there is none'),
    created: time,
    port: z.number().optional().describe('Where the service serves, where its type does not say it'),
    reason: z.enum(backupReasons),
    bytes: z.number().describe('As it is kept'),
    sha256: z.string().describe('Of what is kept'),
    parts: z.array(z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })),
  })
  .meta({ id: 'Backup' }) satisfies z.ZodType<Backup>

const schedule = z
  .object({
    service: z.string(),
    every: z.string().describe('Minute, hour, day, month, weekday; in UTC'),
    keep: z
      .string()
      .nullable()
      .describe('`7d,4w,6m`: the newest of so many days, weeks, months; null is all'),
    since: time,
    failed: backupFailure.nullable().describe('Why the last that was due is not there; null where it is'),
  })
  .meta({ id: 'BackupSchedule' }) satisfies z.ZodType<BackupSchedule>

const backupParams = z.object({ backup: z.string() })

/** Backups of services, and what else goes into one and comes out. */
export const backupOperations = {
  listBackups: op({
    ...paths.listBackups,
    summary: 'Backups, the newest first, of services that are no more too.',
    query: z.strictObject({ service: z.string().optional() }),
    reply: z.array(backup),
  }),
  getBackup: op({ ...paths.getBackup, summary: 'One backup.', params: backupParams, reply: backup }),
  backupService: op({
    ...paths.backupService,
    summary:
      'Keep a backup of a service that runs here, or of one behind a URL. It is in the list once it is whole.',
    params: serviceParams,
    query: z.strictObject({ reason: z.enum(['asked', 'final']).default('asked') }),
    reply: backup,
  }),
  addBackup: op({
    ...paths.addBackup,
    summary: 'Keep an archive that `readBackup` or `dumpService` gave, once all of it was found whole.',
    reply: backup,
  }),
  readBackup: op({
    ...paths.readBackup,
    summary: 'The archive of a backup: a tar, compressed by zstd. All of it is read before it is sent.',
    params: backupParams,
    reply: nothing,
  }),
  dumpService: op({
    ...paths.dumpService,
    summary: 'The archive of a service as it is now, which is not kept: a tar, compressed by zstd.',
    params: serviceParams,
    reply: nothing,
  }),
  restoreBackup: op({
    ...paths.restoreBackup,
    summary:
      'Make a service of a backup, or put it into the one that it was of. It is there once all of it was put back.',
    params: backupParams,
    body: z.strictObject({
      into: z.string().optional().describe('A new name; the one of the service that it was of'),
      version: z.string().optional().describe("The backup's, or a newer one"),
      managed: z.boolean().optional().describe("Has the rack's account run the new one"),
      inPlace: z
        .boolean()
        .default(false)
        .describe('Into the service that it was of, which loses what it has'),
      force: z.boolean().default(false).describe('With `inPlace`, although apps link it'),
    }),
    reply: serviceInfo,
  }),
  deleteBackup: op({
    ...paths.deleteBackup,
    summary: 'Delete a backup.',
    params: backupParams,
    reply: nothing,
  }),
  getBackupSchedule: op({
    ...paths.getBackupSchedule,
    summary: 'When a service is backed up by itself; null where it is not.',
    params: serviceParams,
    reply: schedule.nullable(),
  }),
  setBackupSchedule: op({
    ...paths.setBackupSchedule,
    summary: 'Have a service backed up again and again.',
    params: serviceParams,
    body: z.strictObject({ every: z.string(), keep: z.string().nullable().default(null) }),
    reply: schedule.extend({ says: z.string().describe('What such a backup is, for people') }),
  }),
  removeBackupSchedule: op({
    ...paths.removeBackupSchedule,
    summary: 'Back a service up by itself no more; what there is stays.',
    params: serviceParams,
    reply: nothing,
  }),
  exportService: op({
    ...paths.exportService,
    summary:
      "A service's data as its type's own tools write it, on standard output; what is said beside it, on standard error.",
    params: serviceParams,
    query: z.strictObject({ database: z.string().optional(), ...terminalQuery }),
    reply: nothing,
  }),
  importService: op({
    ...paths.importService,
    summary: 'Put such a dump, from standard input, into a database that is empty, or with `force` over it.',
    params: serviceParams,
    query: z.strictObject({
      database: z.string().optional(),
      force: flag.default(false),
      ...terminalQuery,
    }),
    reply: nothing,
  }),
  openConsole: op({
    ...paths.openConsole,
    summary: "The client of the service's type, as its administrator.",
    params: serviceParams,
    query: z.strictObject({ database: z.string().optional(), ...terminalQuery }),
    reply: nothing,
  }),
  connectService: op({
    ...paths.connectService,
    summary: 'A byte stream to the port of a service that runs here.',
    params: serviceParams,
    reply: nothing,
  }),
}

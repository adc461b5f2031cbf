import * as z from 'zod'
import type { AppVolume } from '../../domain/volume.ts'
import { paths } from '../paths.ts'
import { backup } from './backups.ts'
import { flag, nothing, op, time } from './op.ts'
import { processKind } from './processes.ts'

const volume = z
  .object({
    app: z.string(),
    name: z.string(),
    created: time.nullable(),
    bytes: z.number().nullable(),
    holders: z.array(z.object({ process: z.string(), type: z.string(), kind: processKind })),
    usedBy: z.array(z.string()),
    leftOver: z.boolean(),
  })
  .meta({ id: 'Volume' }) satisfies z.ZodType<AppVolume>

const volumeParams = z.object({ app: z.string(), volume: z.string() })

const reading = z.strictObject({
  stop: flag.default(false).describe('Processes that have it are stopped first, and started again'),
})

/** Named volumes, which outlive releases, and apps. */
export const volumeOperations = {
  listVolumes: op({
    ...paths.listVolumes,
    summary: 'Volumes of an app or of all, of deleted ones too; with sizes, how much lies in each: slow.',
    query: z.strictObject({ app: z.string().optional(), sizes: flag.default(false) }),
    reply: z.array(volume),
  }),
  getVolume: op({
    ...paths.getVolume,
    summary: 'One volume, of a deleted app too.',
    params: volumeParams,
    query: z.strictObject({ sizes: flag.default(false) }),
    reply: volume,
  }),
  deleteVolume: op({
    ...paths.deleteVolume,
    summary: 'Delete a volume and what lies in it; refused while anything uses it.',
    params: volumeParams,
    reply: nothing,
  }),
  backupVolume: op({
    ...paths.backupVolume,
    summary: 'Keep a backup of a volume, of a deleted app too. It is in the list once it is whole.',
    params: volumeParams,
    query: reading,
    reply: backup,
  }),
  dumpVolume: op({
    ...paths.dumpVolume,
    summary: 'The archive of a volume as it is now, which is not kept: a tar, compressed by zstd.',
    params: volumeParams,
    query: reading,
    reply: nothing,
  }),
  restoreVolume: op({
    ...paths.restoreVolume,
    summary: 'Put a backup into a volume: into a new one, which is mounted in place of the old one then.',
    params: volumeParams,
    body: z.strictObject({
      backup: z.string(),
      force: z.boolean().default(false).describe('Although processes have it: they are replaced'),
    }),
    reply: volume,
  }),
}

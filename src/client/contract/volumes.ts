import * as z from 'zod'
import type { Volume } from '../../domain/volume.ts'
import { paths } from '../paths.ts'
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
  .meta({ id: 'Volume' }) satisfies z.ZodType<Volume>

const volumeParams = z.object({ app: z.string(), volume: z.string() })

/** Named volumes, which outlive releases, and apps. */
export const volumeOperations = {
  listVolumes: op({
    ...paths.listVolumes,
    permission: 'read',
    summary: 'Volumes of an app or of all, of deleted ones too; with sizes, how much lies in each: slow.',
    query: z.strictObject({ app: z.string().optional(), sizes: flag.default(false) }),
    reply: z.array(volume),
  }),
  getVolume: op({
    ...paths.getVolume,
    permission: 'read',
    summary: 'One volume, of a deleted app too.',
    params: volumeParams,
    query: z.strictObject({ sizes: flag.default(false) }),
    reply: volume,
  }),
  deleteVolume: op({
    ...paths.deleteVolume,
    permission: 'write',
    summary: 'Delete a volume and what lies in it; refused while anything uses it.',
    params: volumeParams,
    reply: nothing,
  }),
}

import * as z from 'zod'
import { paths } from '../paths.ts'
import { op, wholeNumber } from './op.ts'
import { serviceInfo, serviceParams } from './services.ts'

const serviceChange = {
  version: z.string().optional().describe('Of a known type'),
  image: z.string().optional().describe('Of the type `image`'),
  cpuUnits: z.number().int().min(2).optional(),
  memoryBytes: z
    .number()
    .int()
    .min(16 * 2 ** 20)
    .optional(),
}

const plannedUpdate = z
  .object({
    kind: z
      .enum(['nothing', 'restart', 'upgrade', 'machine', 'version'])
      .describe('`upgrade`: its data goes through a dump into a new volume, and nobody reaches it meanwhile'),
    image: z.string(),
    cpuUnits: z.number(),
    memoryBytes: z.number(),
    bytes: z.number().nullable().describe('Of an upgrade: what lies in its volumes'),
    estimateMs: z.number().nullable().describe('Of an upgrade: about how long nobody reaches it'),
    says: z.string().nullable().describe('Of another version by the account: what becomes of it then'),
  })
  .meta({ id: 'PlannedServiceUpdate' })

const updatedService = z
  .object({
    service: serviceInfo,
    pausedMs: z.number().nullable().describe('How long nobody reached it; null where nothing was done'),
    backup: z.string().nullable().describe('Of an upgrade: the backup that was made on the way'),
  })
  .meta({ id: 'UpdatedService' })

/** How a service that runs here comes to run otherwise. */
export const serviceUpdateOperations = {
  cancelService: op({
    ...paths.cancelService,
    summary: 'End the change of a service that runs; settles when it is undone.',
    params: serviceParams,
    reply: serviceInfo,
  }),
  planServiceUpdate: op({
    ...paths.planServiceUpdate,
    summary: 'What an update of a service that runs here comes to; changes nothing.',
    params: serviceParams,
    query: z.strictObject({
      version: z.string().optional(),
      image: z.string().optional(),
      cpuUnits: wholeNumber(2, Number.MAX_SAFE_INTEGER).optional(),
      memoryBytes: wholeNumber(16 * 2 ** 20, Number.MAX_SAFE_INTEGER).optional(),
    }),
    reply: plannedUpdate,
  }),
  updateService: op({
    ...paths.updateService,
    summary: 'Change the version, CPU or memory of a service that runs here. What fails leaves it as it was.',
    params: serviceParams,
    body: z.strictObject({
      ...serviceChange,
      pauseMs: z
        .number()
        .int()
        .min(1000)
        .max(24 * 3_600_000)
        .default(60_000)
        .describe('The longest time for which nobody may reach it while its data is upgraded'),
    }),
    reply: updatedService,
  }),
  finishServiceUpdate: op({
    ...paths.finishServiceUpdate,
    summary: 'Drop what an upgrade has kept; with `undo` go back to it, and lose what was written since.',
    params: serviceParams,
    body: z.strictObject({ undo: z.boolean().default(false) }),
    reply: serviceInfo,
  }),
}

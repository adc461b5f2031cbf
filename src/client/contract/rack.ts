import * as z from 'zod'
import type { Admission } from '../../domain/admission.ts'
import type { UnservedPort } from '../../domain/endpoint.ts'
import type { AuditEntry, AuditProof } from '../../domain/audit.ts'
import type { Swept } from '../../domain/engine.ts'
import { errorCodes, type ErrorCode } from '../../domain/error.ts'
import { parameterNames, type Parameter } from '../../domain/parameter.ts'
import type { Policy, PolicyChange } from '../../domain/policy.ts'
import type { RackBackupContents } from '../../domain/rack-backup.ts'
import type { Capacity, Resources, Told } from '../../domain/rack.ts'
import type { RouterLoad } from '../../domain/router-load.ts'
import { paths } from '../paths.ts'
import { flag, limit, moment, nothing, op, time, wholeNumber } from './op.ts'

export const extras = z
  .record(z.string(), z.number())
  .optional()
  .describe('What else is counted, by name; absent where nothing is')

export const resources = z.object({
  cpuUnits: z.number(),
  memoryBytes: z.number(),
  extras,
}) satisfies z.ZodType<Resources>

const holder = z.object({
  app: z.string(),
  type: z.string(),
  kind: z.enum(['process', 'draining', 'one-off', 'build', 'service']),
  count: z.number(),
  each: resources,
})

const capacity = z
  .object({
    total: resources,
    reserved: resources,
    free: resources,
    holders: z.array(holder),
    instances: z
      .array(z.object({ id: z.string(), total: resources, free: resources }))
      .describe('The machines; a copy runs on one of them'),
  })
  .meta({ id: 'Capacity' }) satisfies z.ZodType<Told<Capacity>>

/** The arithmetic of admission control. */
export const admission = z
  .object({
    fits: z.boolean(),
    needs: resources,
    free: resources,
    short: resources,
    total: resources,
    demands: z.array(z.object({ type: z.string(), each: resources, peak: z.number(), held: z.number() })),
    surges: z
      .record(z.string(), z.object({ held: z.number(), beside: z.number() }))
      .describe('By type that is replaced: copies that there are, and that may run beside them meanwhile'),
    holders: z.array(holder),
    unplaced: z
      .array(z.object({ type: z.string(), each: resources, count: z.number() }))
      .describe('Where the sum would fit: copies that no single instance has room for'),
  })
  .meta({ id: 'Admission' }) satisfies z.ZodType<Told<Admission>>

/** TCP ports that another program has taken. */
export const unservedPorts = z.array(
  z.object({
    app: z.string().nullable().describe('Null for a port of the rack itself'),
    process: z.string().describe('Its type; of the rack itself https, or shares: where other racks come in'),
    port: z.number(),
    holder: z.object({ pid: z.number(), program: z.string() }).nullable(),
  }),
) satisfies z.ZodType<UnservedPort[]>

/** What the router has open now, and how much of it an app and an address may have. */
const routerLoad = z.object({
  connections: z.number(),
  shares: z.object({
    connections: z.number(),
    app: z.number(),
    copy: z.number(),
    source: z.number(),
    sourceAtApp: z.number(),
    crowded: z.number(),
    smallApp: z.number(),
    smallSource: z.number(),
  }),
  apps: z.record(z.string(), z.object({ underWay: z.number(), refused: z.number() })),
}) satisfies z.ZodType<RouterLoad>

const rack = z
  .object({
    name: z.string(),
    status: z.enum(['running', 'updating', 'converging']),
    version: z.string(),
    domain: z.string(),
    http: z.string(),
    https: z.string().nullable().describe('The same by TLS; null where the rack serves none'),
    daemon: z.object({ pid: z.number() }),
    router: z.object({ pid: z.number().nullable(), load: routerLoad.nullable() }),
    engine: z.object({ name: z.string(), version: z.string() }),
    capacity,
    apps: z.number(),
    comingBack: z.array(z.string()),
    degraded: z.array(z.string()).describe('Apps that run and lack copies'),
    unservedPorts,
    restoring: z
      .object({ left: z.array(z.string()), failed: z.string().nullable() })
      .nullable()
      .describe(
        'What of a backup is still to be taken in; null where nothing is, and for a token of some apps',
      ),
  })
  .meta({ id: 'Rack' })

const rackBackupContents = z
  .object({
    rack: z.string(),
    version: z.string(),
    created: time,
    images: z.number(),
    volumes: z.array(z.string()),
    services: z.array(z.string()),
    lacks: z.array(z.string()).describe('What a person may miss in it'),
  })
  .meta({ id: 'RackBackupContents' }) satisfies z.ZodType<RackBackupContents>

const swept = z.object({
  images: z.number(),
  containers: z.number(),
  networks: z.number(),
  volumes: z.number(),
  bytes: z.number(),
}) satisfies z.ZodType<Swept>

const policy = z.object({
  binds: z.array(z.string()),
  devices: z.array(z.string()),
  volumes: z.array(z.string()),
  privileged: z.boolean(),
  hostGateway: z.boolean(),
  metadata: z.boolean(),
}) satisfies z.ZodType<Policy>

const names = z.array(z.string()).default([])

const policyChange = z.strictObject({
  allowBinds: names,
  denyBinds: names,
  allowDevices: names,
  denyDevices: names,
  allowVolumes: names,
  denyVolumes: names,
  privileged: z.boolean().nullable().default(null),
  hostGateway: z.boolean().nullable().default(null),
  metadata: z.boolean().nullable().default(null),
}) satisfies z.ZodType<PolicyChange>

const parameter = z
  .object({ name: z.enum(parameterNames), value: z.string(), isDefault: z.boolean(), meaning: z.string() })
  .meta({ id: 'Parameter' }) satisfies z.ZodType<Parameter>

const auditEntry = z
  .object({
    id: z.number(),
    caller: z.string(),
    verb: z.string(),
    app: z.string().nullable(),
    subject: z
      .string()
      .nullable()
      .describe('The release, build, process, volume or variables that were meant'),
    source: z.string().nullable().describe('An address, or socket'),
    request: z.string().nullable().describe('Its id, which the answer and the log have too'),
    begun: time,
    ended: time.nullable(),
    outcome: z
      .enum(['done', ...(Object.keys(errorCodes) as ErrorCode[])])
      .nullable()
      .describe('done, or the code of the error; null while it goes on, or when the daemon died meanwhile'),
    place: z
      .number()
      .nullable()
      .describe('Of what was written last of it: counts up with every beginning and every end'),
  })
  .meta({ id: 'AuditEntry' }) satisfies z.ZodType<AuditEntry>

const auditProof = z.object({
  entries: z.number(),
  fault: z
    .object({
      kind: z.enum(['altered', 'missing', 'reordered', 'cut', 'foreign']),
      id: z.number().nullable().describe('The entry'),
      detail: z.string(),
    })
    .nullable(),
}) satisfies z.ZodType<AuditProof>

/** The rack itself. */
export const rackOperations = {
  health: op({
    ...paths.health,
    summary: 'Whether the daemon answers; the only route without a token.',
    reply: z.object({ status: z.literal('ready') }),
  }),
  openapi: op({
    ...paths.openapi,
    summary: 'This description.',
    reply: z.record(z.string(), z.unknown()),
  }),
  getRack: op({
    ...paths.getRack,
    summary: 'The rack, its parts and its capacity.',
    reply: rack,
  }),
  getCapacity: op({
    ...paths.getCapacity,
    summary: 'Cpu units and bytes in total, reserved and free, and who holds them.',
    reply: capacity,
  }),
  getPolicy: op({
    ...paths.getPolicy,
    summary: 'Which paths of the machine processes may mount, and whether they may be privileged.',
    reply: policy,
  }),
  changePolicy: op({
    ...paths.changePolicy,
    summary: 'Change that for the next build and promote; what runs goes on.',
    body: policyChange,
    reply: policy,
  }),
  listParameters: op({
    ...paths.listParameters,
    summary: 'Settings of the rack: how much log is kept.',
    reply: z.array(parameter),
  }),
  changeParameters: op({
    ...paths.changeParameters,
    summary: 'Change some of them, which holds within seconds.',
    body: z.strictObject({ values: z.record(z.string(), z.string()) }),
    reply: z.array(parameter),
  }),
  planRackBackup: op({
    ...paths.planRackBackup,
    summary: 'What a backup of the rack would hold, and what not.',
    query: z.strictObject({
      volumes: flag.default(false),
      services: flag.default(false),
      images: flag.default(true),
    }),
    reply: rackBackupContents,
  }),
  backupRack: op({
    ...paths.backupRack,
    summary: 'All of the rack as a stream, sealed by a key of the caller; nothing is kept of it.',
    body: z.strictObject({
      key: z
        .string()
        .regex(/^[A-Za-z0-9+/]{43}=$/, 'expected 32 bytes in base64')
        .describe('32 bytes in base64, which only the caller keeps'),
      head: z.string().max(1000).describe('Without just this text it does not open'),
      volumes: z.boolean().default(false),
      services: z.boolean().default(false),
      images: z.boolean().default(true),
    }),
    reply: nothing,
  }),
  prune: op({
    ...paths.prune,
    summary: 'Remove what retention no longer keeps.',
    body: z.strictObject({ buildCache: z.boolean().default(false), volumes: z.boolean().default(false) }),
    reply: swept,
  }),
  listAudit: op({
    ...paths.listAudit,
    summary: 'Who asked for what that changes something or shows a secret, newest first.',
    query: z.strictObject({
      limit,
      after: wholeNumber(0, Number.MAX_SAFE_INTEGER)
        .optional()
        .describe('A place: what has begun or ended after it, in the order of places'),
      since: moment.optional().describe('Begun then or later'),
      app: z.string().optional(),
      actor: z.string().optional().describe('The name of a token'),
    }),
    reply: z.array(auditEntry),
  }),
  verifyAudit: op({
    ...paths.verifyAudit,
    summary: 'Whether the audit is as it was written, and else the first thing that is not.',
    reply: auditProof,
  }),
}

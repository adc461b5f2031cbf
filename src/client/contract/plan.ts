import * as z from 'zod'
import { errorCodes, type ErrorCode } from '../../domain/error.ts'
import { hostNamespaces, type ContainerOptions, type FileMount, type Mount } from '../../domain/container.ts'
import type { OfApp } from '../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../domain/plan.ts'
import type { Routing } from '../../domain/routing.ts'
import { formation } from './apps.ts'
import { time } from './op.ts'
import { admission, extras } from './rack.ts'
import { plannedTimer, timerOfPlan } from './timers.ts'

const port = z.object({
  external: z.number().nullable(),
  container: z.number(),
  protocol: z.enum(['http', 'https', 'tcp', 'tls', 'udp']),
  proxy: z.union([z.literal(false), z.enum(['v1', 'v2'])]).describe('The version of the PROXY protocol'),
  secure: z.boolean(),
  upstream: z.enum(['h2c', 'h2']).optional().describe('The HTTP/2 that is spoken to the process'),
  isShared: z.literal(true).optional().describe('Others may have it too, told apart by the name asked for'),
  isLocal: z.literal(true).optional().describe('Only the machine of the rack reaches it'),
})

const routing = z.object({
  sticky: z
    .discriminatedUnion('by', [
      z.object({ by: z.literal('source') }),
      z.object({ by: z.literal('header'), name: z.string() }),
      z.object({ by: z.literal('uri') }),
    ])
    .nullable(),
  idleTimeoutMs: z.number().nullable(),
  allow: z.array(z.string()).nullable(),
  auth: z.array(z.object({ user: z.string(), password: z.string().describe('Masked') })),
  keepsHttp: z.literal(true).optional().describe('Visitors by http are not sent to https'),
  hstsSeconds: z.number().optional(),
}) satisfies z.ZodType<Routing>

const health = z.object({
  path: z.string().nullable(),
  host: z.string().nullable(),
  port: z.number().nullable(),
  intervalMs: z.number(),
  timeoutMs: z.number(),
  graceMs: z.number(),
  healthyThreshold: z.number(),
  unhealthyThreshold: z.number(),
  replacement: z
    .discriminatedUnion('when', [
      z.object({ when: z.enum(['overlapping', 'always']), afterMs: z.number() }),
      z.object({ when: z.literal('never') }),
    ])
    .describe('Whether a copy that serves no more is replaced: where two may overlap, always, or never'),
})

const healthcheck = z.object({
  test: z.array(z.string()),
  intervalMs: z.number(),
  timeoutMs: z.number(),
  retries: z.number(),
  startPeriodMs: z.number(),
})

const mountPlace = { path: z.string(), readOnly: z.boolean() }
const mount = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('volume'),
    volume: z.string(),
    noCopy: z.boolean(),
    external: z.string().optional().describe('What the engine calls a volume that no app made'),
    ...mountPlace,
  }),
  z.object({ kind: z.literal('bind'), source: z.string(), ...mountPlace }),
  z.object({
    kind: z.literal('tmpfs'),
    sizeBytes: z.number().nullable(),
    mode: z.number().nullable(),
    options: z.array(z.string()),
    ...mountPlace,
  }),
  z.object({ kind: z.literal('discarded'), ...mountPlace }),
]) satisfies z.ZodType<Mount>

const file = z.object({
  kind: z.enum(['config', 'secret']),
  name: z.string(),
  origin: z.union([
    z.object({ file: z.string() }),
    z.object({ environment: z.string() }),
    z.literal('content'),
  ]),
  path: z.string(),
  content: z.string().describe('Base64; masked'),
  mode: z.number(),
  uid: z.number(),
  gid: z.number(),
}) satisfies z.ZodType<FileMount>

const names = z.array(z.string())
const container = z.object({
  hostname: z.string().nullable(),
  domainname: z.string().nullable(),
  groups: names,
  capAdd: names,
  capDrop: names,
  privileged: z.boolean(),
  devices: z.array(z.object({ source: z.string(), path: z.string(), permissions: z.string() })),
  deviceRules: names,
  gpus: z
    .object({
      driver: z.string().nullable(),
      count: z.union([z.number(), z.literal('all')]).nullable(),
      ids: names,
      capabilities: names,
    })
    .nullable(),
  hostNamespaces: z.array(z.enum(hostNamespaces)),
  readOnly: z.boolean(),
  securityOptions: names,
  shmBytes: z.number().nullable(),
  sysctls: z.record(z.string(), z.string()),
  ulimits: z.array(z.object({ name: z.string(), soft: z.number(), hard: z.number() })),
  pids: z.number().nullable(),
  oomScoreAdj: z.number().nullable(),
  dns: z.object({ servers: names, search: names, options: names }),
  tty: z.boolean(),
  stdinOpen: z.boolean(),
}) satisfies z.ZodType<ContainerOptions>

const sharedEnd = z
  .object({
    id: z.string(),
    host: z.string(),
    port: z.number(),
    authority: z.string(),
    certificate: z.string().describe('Masked'),
  })
  .describe('How the other rack is come in to')

const processPlan = z.object({
  type: z.string(),
  image: z.string().describe('As the engine names it'),
  imageDigest: z.string(),
  command: z.array(z.string()).nullable(),
  entrypoint: z.array(z.string()).nullable(),
  environment: z.record(z.string(), z.string()).describe('Values are masked'),
  ...formation.shape,
  extras,
  isAgent: z.boolean(),
  ports: z.array(port),
  internalPorts: z.array(z.number()),
  aliases: names,
  peers: z.array(z.object({ type: z.string(), names })),
  services: z
    .array(z.object({ service: z.string(), names }))
    .optional()
    .describe('Services that run here and that it is led to'),
  outside: z
    .array(z.object({ host: z.string(), names }))
    .optional()
    .describe('Hosts of services that somebody else runs, and what links call them'),
  shared: z
    .array(z.object({ service: z.string(), names, version: z.string(), port: z.number(), end: sharedEnd }))
    .optional()
    .describe('Services of other racks that it is led to'),
  hosts: z.array(z.string()),
  routing,
  health,
  healthcheck: healthcheck.nullable(),
  labels: z.record(z.string(), z.string()),
  mounts: z.array(mount),
  files: z.array(file),
  container,
  after: z.array(z.object({ type: z.string(), condition: z.enum(['started', 'healthy', 'completed']) })),
  restartsWith: z.array(z.string()),
  stopFirst: z.boolean(),
  minimumPercent: z.number(),
  maximumPercent: z.number(),
  watchMs: z.number(),
  rollsBack: z.boolean(),
  drainTimeoutMs: z.number(),
  holdMs: z
    .number()
    .describe('How long requests wait where no copy serves and one is due; 0 answers at once'),
  stopGraceMs: z.number(),
  stopSignal: z.string().nullable(),
  user: z.string().nullable(),
  workingDir: z.string().nullable(),
  init: z.boolean(),
  extraHosts: z.array(z.object({ host: z.string(), address: z.string() })),
  restart: z.enum(['always', 'on-failure', 'no']),
  releaseCommand: z.array(z.string()).nullable(),
  releaseCommandOn: z.enum(['promote', 'build']),
  timers: z.array(timerOfPlan),
  replaceBefore: time.nullable(),
}) satisfies z.ZodType<ProcessPlan>

const plan = z
  .object({
    rack: z.string(),
    app: z.string(),
    release: z.string(),
    build: z.string(),
    processes: z.array(processPlan),
    volumes: z.array(z.string()),
  })
  .meta({ id: 'Plan' }) satisfies z.ZodType<OfApp<Plan>>

/** What a promote or scale would do, before anything is touched. */
export const promotion = z
  .object({
    plan,
    admission,
    replaced: z.array(z.string()),
    reasons: z.record(z.string(), z.array(z.string())).describe('By type that is replaced: what differs'),
    stopped: z.array(z.string()).describe('Those of them that stop before their successors start'),
    kept: z.array(z.string()),
    removed: z.array(z.string()),
    missing: z.record(z.string(), z.array(z.string())),
    obstacles: z
      .array(
        z.object({
          code: z.enum(Object.keys(errorCodes) as ErrorCode[]),
          message: z.string(),
          hint: z.string().nullable(),
        }),
      )
      .describe('What else refuses it: ports and names that others have, images that are gone'),
    additions: z
      .array(z.string())
      .describe('What it would have made for all of the rack, that stays and costs: a sentence each'),
    timers: z.array(
      plannedTimer.extend({ fits: z.boolean().describe('Whether a run would find room beside the plan') }),
    ),
  })
  .meta({ id: 'Promotion' })

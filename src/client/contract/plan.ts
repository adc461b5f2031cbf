import * as z from 'zod'
import type { ContainerOptions, FileMount, Mount } from '../../domain/container.ts'
import type { Plan, ProcessPlan } from '../../domain/plan.ts'
import type { Routing } from '../../domain/routing.ts'
import { formation } from './apps.ts'
import { time } from './op.ts'
import { admission } from './rack.ts'

const port = z.object({
  external: z.number().nullable(),
  container: z.number(),
  protocol: z.enum(['http', 'https', 'tcp', 'tls', 'udp']),
  proxy: z.boolean(),
  secure: z.boolean(),
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
}) satisfies z.ZodType<Routing>

const health = z.object({
  path: z.string().nullable(),
  port: z.number().nullable(),
  intervalMs: z.number(),
  timeoutMs: z.number(),
  graceMs: z.number(),
  healthyThreshold: z.number(),
  unhealthyThreshold: z.number(),
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
  z.object({ kind: z.literal('volume'), volume: z.string(), noCopy: z.boolean(), ...mountPlace }),
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

const processPlan = z.object({
  type: z.string(),
  image: z.string(),
  command: z.array(z.string()).nullable(),
  entrypoint: z.array(z.string()).nullable(),
  environment: z.record(z.string(), z.string()).describe('Values are masked'),
  ...formation.shape,
  isAgent: z.boolean(),
  ports: z.array(port),
  internalPorts: z.array(z.number()),
  aliases: z.array(z.string()),
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
  drainTimeoutMs: z.number(),
  stopGraceMs: z.number(),
  stopSignal: z.string().nullable(),
  user: z.string().nullable(),
  workingDir: z.string().nullable(),
  init: z.boolean(),
  extraHosts: z.array(z.object({ host: z.string(), address: z.string() })),
  restart: z.enum(['always', 'on-failure', 'no']),
  releaseCommand: z.array(z.string()).nullable(),
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
  .meta({ id: 'Plan' }) satisfies z.ZodType<Plan>

/** What a promote or scale would do, before anything is touched. */
export const promotion = z
  .object({
    plan,
    admission,
    replaced: z.array(z.string()),
    kept: z.array(z.string()),
    removed: z.array(z.string()),
    missing: z.record(z.string(), z.array(z.string())),
  })
  .meta({ id: 'Promotion' })

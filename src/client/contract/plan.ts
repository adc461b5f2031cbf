import * as z from 'zod'
import type { Plan, ProcessPlan } from '../../domain/plan.ts'
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

const mount = z.object({
  kind: z.enum(['volume', 'tmpfs', 'discarded']),
  volume: z.string().nullable(),
  path: z.string(),
  readOnly: z.boolean(),
})

const processPlan = z.object({
  type: z.string(),
  image: z.string(),
  command: z.array(z.string()).nullable(),
  entrypoint: z.array(z.string()).nullable(),
  environment: z.record(z.string(), z.string()).describe('Values are masked'),
  ...formation.shape,
  ports: z.array(port),
  internalPorts: z.array(z.number()),
  aliases: z.array(z.string()),
  hosts: z.array(z.string()),
  health,
  healthcheck: healthcheck.nullable(),
  mounts: z.array(mount),
  after: z.array(z.object({ type: z.string(), condition: z.enum(['started', 'healthy', 'completed']) })),
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

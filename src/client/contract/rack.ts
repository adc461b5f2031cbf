import * as z from 'zod'
import type { Admission } from '../../domain/admission.ts'
import type { Swept } from '../../domain/engine.ts'
import type { Policy, PolicyChange } from '../../domain/policy.ts'
import type { Capacity, Resources } from '../../domain/rack.ts'
import { paths } from '../paths.ts'
import { op } from './op.ts'

const resources = z.object({ cpuUnits: z.number(), memoryBytes: z.number() }) satisfies z.ZodType<Resources>

const holder = z.object({
  app: z.string(),
  type: z.string(),
  kind: z.enum(['process', 'one-off', 'build', 'service']),
  count: z.number(),
  each: resources,
})

const capacity = z
  .object({
    total: resources,
    reserved: resources,
    free: resources,
    holders: z.array(holder),
    instances: z.number(),
  })
  .meta({ id: 'Capacity' }) satisfies z.ZodType<Capacity>

/** The arithmetic of admission control. */
export const admission = z
  .object({
    fits: z.boolean(),
    needs: resources,
    free: resources,
    short: resources,
    total: resources,
    demands: z.array(z.object({ type: z.string(), each: resources, peak: z.number(), held: z.number() })),
    holders: z.array(holder),
  })
  .meta({ id: 'Admission' }) satisfies z.ZodType<Admission>

const rack = z
  .object({
    name: z.string(),
    status: z.enum(['running', 'updating', 'converging']),
    version: z.string(),
    domain: z.string(),
    http: z.string(),
    daemon: z.object({ pid: z.number() }),
    router: z.object({ pid: z.number().nullable() }),
    engine: z.object({ name: z.string(), version: z.string() }),
    capacity,
    apps: z.number(),
  })
  .meta({ id: 'Rack' })

const swept = z.object({
  images: z.number(),
  containers: z.number(),
  networks: z.number(),
  volumes: z.number(),
  bytes: z.number(),
}) satisfies z.ZodType<Swept>

const policy = z.object({ binds: z.array(z.string()), privileged: z.boolean() }) satisfies z.ZodType<Policy>

const policyChange = z.strictObject({
  allowBinds: z.array(z.string()).default([]),
  denyBinds: z.array(z.string()).default([]),
  privileged: z.boolean().nullable().default(null),
}) satisfies z.ZodType<PolicyChange>

/** The rack itself. */
export const rackOperations = {
  health: op({
    ...paths.health,
    permission: null,
    summary: 'Whether the daemon answers; the only route without a token.',
    reply: z.object({ status: z.literal('ready') }),
  }),
  openapi: op({
    ...paths.openapi,
    permission: 'read',
    summary: 'This description.',
    reply: z.record(z.string(), z.unknown()),
  }),
  getRack: op({
    ...paths.getRack,
    permission: 'read',
    summary: 'The rack, its parts and its capacity.',
    reply: rack,
  }),
  getCapacity: op({
    ...paths.getCapacity,
    permission: 'read',
    summary: 'Cpu units and bytes in total, reserved and free, and who holds them.',
    reply: capacity,
  }),
  getPolicy: op({
    ...paths.getPolicy,
    permission: 'read',
    summary: 'Which paths of the machine processes may mount, and whether they may be privileged.',
    reply: policy,
  }),
  changePolicy: op({
    ...paths.changePolicy,
    permission: 'write',
    summary: 'Change that for the next build and promote; what runs goes on.',
    body: policyChange,
    reply: policy,
  }),
  prune: op({
    ...paths.prune,
    permission: 'write',
    summary: 'Remove what retention no longer keeps.',
    body: z.strictObject({ buildCache: z.boolean().default(false), volumes: z.boolean().default(false) }),
    reply: swept,
  }),
}

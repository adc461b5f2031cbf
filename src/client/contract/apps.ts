import * as z from 'zod'
import type { App } from '../../domain/app.ts'
import type { Receipt } from '../../domain/deployment.ts'
import type { Formation } from '../../domain/manifest.ts'
import type { Operation } from '../../domain/operation.ts'
import { paths } from '../paths.ts'
import { appParams, flag, nothing, op, time } from './op.ts'

/** How many copies of a type run, and what each reserves. */
export const formation = z.object({
  count: z.number(),
  cpuUnits: z.number(),
  memoryBytes: z.number(),
}) satisfies z.ZodType<Formation>

/** What a promote did. */
export const receipt = z
  .object({
    requests: z.number(),
    failed: z.number(),
    longestStallMs: z.number().nullable(),
    started: z.array(z.string()),
    replaced: z.array(z.string()),
    kept: z.array(z.string()),
    trace: z.array(
      z.object({
        phase: z.string(),
        process: z.string().nullable(),
        startMs: z.number(),
        endMs: z.number(),
      }),
    ),
  })
  .meta({ id: 'Receipt' }) satisfies z.ZodType<Receipt>

/** Addresses at which the router serves an app. */
export const endpoints = z.array(z.object({ process: z.string(), url: z.string() }))

const app = z
  .object({
    name: z.string(),
    status: z.enum(['creating', 'running', 'updating', 'rollback', 'failed', 'deleting']),
    release: z.string().nullable(),
    locked: z.boolean(),
    created: time,
  })
  .meta({ id: 'App' }) satisfies z.ZodType<App>

const operation = z
  .object({
    id: z.string(),
    app: z.string(),
    kind: z.enum(['build', 'promote', 'scale', 'restart', 'delete', 'run']),
    actor: z.string(),
    status: z.enum(['running', 'complete', 'failed', 'cancelled']),
    intent: z.object({
      release: z.string().optional(),
      previousRelease: z.string().nullable().optional(),
      build: z.string().optional(),
      process: z.string().optional(),
      formation: z.record(z.string(), formation).optional(),
      volumes: z.boolean().optional(),
    }),
    started: time,
    ended: time.nullable(),
    error: z
      .object({
        code: z.string(),
        message: z.string(),
        hint: z.string().optional(),
        details: z.unknown().optional(),
      })
      .nullable(),
    receipt: receipt.nullable(),
  })
  .meta({ id: 'Operation' }) satisfies z.ZodType<Operation>

const appInfo = z
  .object({
    ...app.shape,
    endpoints,
    formation: z.record(z.string(), formation),
    operation: operation.nullable(),
  })
  .meta({ id: 'AppInfo' })

/** Apps. */
export const appOperations = {
  listApps: op({ ...paths.listApps, permission: 'read', summary: 'All apps.', reply: z.array(app) }),
  createApp: op({
    ...paths.createApp,
    permission: 'write',
    summary: 'Create an app.',
    body: z.strictObject({ name: z.string() }),
    reply: app,
  }),
  getApp: op({
    ...paths.getApp,
    permission: 'read',
    summary: 'An app, where it answers, and the change that runs now.',
    params: appParams,
    reply: appInfo,
  }),
  deleteApp: op({
    ...paths.deleteApp,
    permission: 'write',
    summary: 'Delete an app, its processes and its history; its volumes too when asked.',
    params: appParams,
    query: z.strictObject({ volumes: flag.default(false) }),
    reply: nothing,
  }),
  lockApp: op({
    ...paths.lockApp,
    permission: 'write',
    summary: 'Protect an app against deletion.',
    params: appParams,
    reply: app,
  }),
  unlockApp: op({
    ...paths.unlockApp,
    permission: 'write',
    summary: 'Let an app be deleted again.',
    params: appParams,
    reply: app,
  }),
  cancelApp: op({
    ...paths.cancelApp,
    permission: 'write',
    summary: 'End the running change; replies when what ran before runs again.',
    params: appParams,
    reply: operation,
  }),
}

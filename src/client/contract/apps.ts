import * as z from 'zod'
import type { App } from '../../domain/app.ts'
import type { TypeLack } from '../../domain/app-health.ts'
import type { Receipt } from '../../domain/deployment.ts'
import type { Formation } from '../../domain/manifest.ts'
import type { Operation } from '../../domain/operation.ts'
import { exportedImages, type AppExportContents } from '../../domain/app-archive.ts'
import { paths } from '../paths.ts'
import { appParams, flag, nothing, op, time } from './op.ts'
import { unservedPorts } from './rack.ts'

/** How many copies of a type run, and what each reserves. */
export const formation = z.object({
  count: z.number(),
  cpuUnits: z.number(),
  memoryBytes: z.number(),
}) satisfies z.ZodType<Formation>

/** What a promote did. */
export const receipt = z
  .object({
    requests: z.number().nullable(),
    failed: z.number().nullable(),
    longestStallMs: z.number().nullable(),
    held: z.number().nullable(),
    draining: z.array(z.string()),
    measurement: z.string().nullable(),
    started: z.array(z.string()),
    replaced: z.array(z.string()),
    kept: z.array(z.string()),
    crashed: z
      .array(z.object({ process: z.string(), type: z.string(), detail: z.string() }))
      .optional()
      .describe('Copies that have crashed in the first minute after a promote; absent where none has'),
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

const lack = z.object({
  type: z.string(),
  wanted: z.number(),
  missing: z.number(),
  unhealthy: z.number().describe('There, and serving nobody'),
  crashed: z.number().describe('Ended in failure, and by the file not to be started again'),
  detail: z.string().nullable().describe('Of a copy that serves nobody: `crashed (137, OOM) ×6`'),
}) satisfies z.ZodType<TypeLack>

const lacks = z
  .array(
    z.object({
      ...lack.shape,
      trouble: z
        .object({ message: z.string(), hint: z.string().nullable() })
        .nullable()
        .describe('Why copies could not be brought back the last time'),
      nextTry: time.nullable().describe('When that is tried again'),
    }),
  )
  .describe('Types that lack copies; empty while the app is changed')

const appSummary = z
  .object({
    ...app.shape,
    status: z
      .enum([...app.shape.status.options, 'degraded'])
      .describe('`degraded`: it runs, and lacks copies'),
    lacks,
    unservedPorts,
  })
  .meta({ id: 'AppSummary' })

const operation = z
  .object({
    id: z.string(),
    app: z.string(),
    kind: z.enum([
      'build',
      'promote',
      'scale',
      'restart',
      'stop',
      'delete',
      'run',
      'heal',
      'rollback',
      'import',
    ]),
    actor: z.string(),
    status: z.enum(['running', 'complete', 'failed', 'cancelled']),
    intent: z.object({
      release: z.string().optional(),
      previousRelease: z.string().nullable().optional(),
      build: z.string().optional(),
      process: z.string().optional(),
      exitCode: z.number().optional(),
      formation: z.record(z.string(), formation).optional(),
      volumes: z.boolean().optional(),
      leaving: z.array(z.string()).optional(),
      lacks: z.array(lack).optional(),
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
    ...appSummary.shape,
    endpoints,
    formation: z.record(z.string(), formation),
    operation: operation.nullable(),
    changed: operation
      .nullable()
      .describe(
        'The newest change that went through: the counts of its receipt come when old copies have gone',
      ),
    healed: operation.nullable().describe('When the rack has brought back copies by itself the last time'),
  })
  .meta({ id: 'AppInfo' })

const exportScope = z.strictObject({
  images: z
    .enum(exportedImages)
    .default('live')
    .describe('Of what is live, or of all releases whose images are kept'),
  volumes: flag.default(true),
})

const exportContents = z
  .object({
    app: z.string(),
    rack: z.string(),
    version: z.string(),
    created: time,
    releases: z.number(),
    release: z.string().nullable().describe('The live one'),
    images: z.number(),
    volumes: z.array(z.string()),
    domains: z.array(z.string()),
    services: z.array(z.object({ name: z.string(), type: z.string() })).describe('Linked, and not in it'),
    lacks: z.array(z.string()).describe('What a person may miss in it'),
  })
  .meta({ id: 'AppExportContents' }) satisfies z.ZodType<AppExportContents>

const imported = z
  .object({
    app: z.string(),
    release: z.string().nullable().describe('What is to be made live; null where it has no build'),
    isGoneBackTo: z
      .boolean()
      .describe('By a rollback to it, which gives it logins: what it links, the newest release does not'),
    releases: z.number(),
    volumes: z.array(z.string()),
    domains: z.array(z.string()),
    from: z.object({ app: z.string(), rack: z.string(), created: time }),
    notes: z.array(z.string()).describe('What is other than it was, or is to be done'),
  })
  .meta({ id: 'ImportedApp' })

/** Apps. */
export const appOperations = {
  listApps: op({ ...paths.listApps, summary: 'All apps.', reply: z.array(appSummary) }),
  createApp: op({
    ...paths.createApp,
    summary: 'Create an app.',
    body: z.strictObject({ name: z.string() }),
    reply: app,
  }),
  getApp: op({
    ...paths.getApp,
    summary: 'An app, where it answers, and the change that runs now.',
    params: appParams,
    reply: appInfo,
  }),
  deleteApp: op({
    ...paths.deleteApp,
    summary: 'Delete an app, its processes and its history; its volumes too when asked.',
    params: appParams,
    query: z.strictObject({
      volumes: flag.default(false),
      unlink: flag.default(false).describe('Its links too; refused where it has any and this is not said'),
    }),
    reply: nothing,
  }),
  lockApp: op({
    ...paths.lockApp,
    summary: 'Protect an app against deletion.',
    params: appParams,
    reply: app,
  }),
  unlockApp: op({
    ...paths.unlockApp,
    summary: 'Let an app be deleted again.',
    params: appParams,
    reply: app,
  }),
  cancelApp: op({
    ...paths.cancelApp,
    summary:
      'End the running change; replies with how it has ended: `complete` where traffic had moved already.',
    params: appParams,
    reply: operation,
  }),
  planAppExport: op({
    ...paths.planAppExport,
    summary: 'What an export of an app would hold, and what not.',
    params: appParams,
    query: exportScope,
    reply: exportContents,
  }),
  exportApp: op({
    ...paths.exportApp,
    summary:
      'An app with its releases, environment, domains and data, in clear: a tar, compressed by zstd. It is kept by nobody.',
    params: appParams,
    query: exportScope,
    reply: nothing,
  }),
  importApp: op({
    ...paths.importApp,
    summary: 'Make an app of what `exportApp` gave, all of it or nothing; nothing of it runs yet.',
    query: z.strictObject({
      name: z.string().optional().describe('What it is called here; as it was called when absent'),
      isNext: flag
        .default(false)
        .describe('It is to be made live next: refused before anything is made where that cannot be'),
    }),
    reply: imported,
  }),
}

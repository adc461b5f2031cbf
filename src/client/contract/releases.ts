import * as z from 'zod'
import type { Release } from '../../domain/release.ts'
import { paths } from '../paths.ts'
import { endpoints, receipt } from './apps.ts'
import { appParams, flag, limit, op, time } from './op.ts'
import { promotion } from './plan.ts'
import { resources } from './rack.ts'
import { plannedTimer } from './timers.ts'

/** What a link says beside where it leads. */
export const linkOptions = z.object({
  processes: z
    .array(z.string())
    .min(1)
    .exactOptional()
    .describe('The only types that have it; all when absent'),
  database: z.string().exactOptional().describe('That links of this word share; one of its own when absent'),
  keyPrefix: z.string().exactOptional().describe('Of the only keys that it reaches; all when absent'),
})

/** An immutable release. */
export const release = z
  .object({
    id: z.string(),
    app: z.string(),
    build: z.string().nullable(),
    description: z.string(),
    created: time,
    basedOn: z.string().nullable(),
    links: z
      .array(z.object({ alias: z.string(), service: z.string(), version: z.string(), ...linkOptions.shape }))
      .describe('To services'),
  })
  .meta({ id: 'Release' }) satisfies z.ZodType<Release>

const releaseInfo = z
  .object({
    ...release.shape,
    live: z.boolean(),
    crashed: z
      .array(z.object({ process: z.string(), type: z.string(), detail: z.string() }))
      .describe('Copies that crashed in the first minute of its last promote'),
  })
  .meta({ id: 'ReleaseInfo' })

const releaseDetails = z
  .object({
    ...releaseInfo.shape,
    receipt: receipt.nullable().describe('Of its newest promote; null where it never went live'),
  })
  .meta({ id: 'ReleaseDetails' })

/** Names of variables, never values. */
export const nameChanges = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
  atBuild: z.array(z.string()).describe('Those among them that have an effect with the next build alone'),
  unseen: z
    .array(z.object({ name: z.string(), processes: z.array(z.string()) }))
    .describe(
      'Variables of the later environment that the rack sets itself, so that the processes never see them',
    ),
})

const releaseDiff = z
  .object({
    from: z.string(),
    to: z.string(),
    environment: nameChanges,
    links: z
      .array(z.object({ alias: z.string(), from: z.string().nullable(), to: z.string().nullable() }))
      .describe('To services'),
    processes: z.array(
      z.object({
        type: z.string(),
        change: z.enum(['added', 'removed', 'changed']),
        fields: z.array(
          z.object({ name: z.string(), from: z.string().nullable(), to: z.string().nullable() }),
        ),
      }),
    ),
    restarts: z.array(z.string()),
    surge: resources,
    unheard: z
      .array(z.object({ type: z.string(), text: z.string() }))
      .describe('What the later file says anew and `rack scale` owns'),
  })
  .meta({ id: 'ReleaseDiff' })

/** What a promote, scale, restart or rollback ended with. */
export const promoteResult = z
  .object({
    app: z.string(),
    release: z.string(),
    receipt,
    endpoints,
    timers: z.array(plannedTimer),
    noticed: z
      .array(
        z.object({ process: z.string(), port: z.number(), external: z.number(), url: z.string().nullable() }),
      )
      .optional()
      .describe(
        'Raw tcp ports that speak HTTP: the next promote serves them by host name too; absent where none does',
      ),
  })
  .meta({ id: 'PromoteResult' })

const promoteQuery = z.strictObject({
  releaseCommand: flag.default(true).describe('False runs no release command'),
})

const releaseParams = z.object({ app: z.string(), release: z.string() })

/** Releases. */
export const releaseOperations = {
  listReleases: op({
    ...paths.listReleases,
    summary: 'Releases of an app, newest first.',
    params: appParams,
    query: z.strictObject({ limit }),
    reply: z.array(releaseInfo),
  }),
  diffReleases: op({
    ...paths.diffReleases,
    summary: 'What differs between two releases: from the live one to the newest unless named.',
    params: appParams,
    query: z.strictObject({ from: z.string().optional(), to: z.string().optional() }),
    reply: releaseDiff,
  }),
  getRelease: op({
    ...paths.getRelease,
    summary: 'One release, and what came of its newest promote.',
    params: releaseParams,
    reply: releaseDetails,
  }),
  releaseManifest: op({
    ...paths.releaseManifest,
    summary: "The text of a release's compose file.",
    params: releaseParams,
    reply: z.object({ text: z.string() }),
  }),
  planPromotion: op({
    ...paths.planPromotion,
    summary: 'What a promote would do, and whether it fits; nothing is touched.',
    params: releaseParams,
    reply: promotion,
  }),
  promoteRelease: op({
    ...paths.promoteRelease,
    summary: 'Make a release the live one.',
    params: releaseParams,
    query: promoteQuery,
    reply: promoteResult,
  }),
  rollbackRelease: op({
    ...paths.rollbackRelease,
    summary:
      "Promote a new release of an old one's build, environment and links; `previous` names the one before the live.",
    params: releaseParams,
    query: promoteQuery,
    reply: promoteResult,
  }),
}

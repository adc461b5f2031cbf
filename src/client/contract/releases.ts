import * as z from 'zod'
import type { Release } from '../../domain/release.ts'
import { paths } from '../paths.ts'
import { endpoints, receipt } from './apps.ts'
import { appParams, limit, op, time } from './op.ts'
import { promotion } from './plan.ts'

/** An immutable release. */
export const release = z
  .object({
    id: z.string(),
    app: z.string(),
    build: z.string().nullable(),
    description: z.string(),
    created: time,
    basedOn: z.string().nullable(),
  })
  .meta({ id: 'Release' }) satisfies z.ZodType<Release>

const releaseInfo = z.object({ ...release.shape, live: z.boolean() }).meta({ id: 'ReleaseInfo' })

/** Names of variables, never values. */
export const nameChanges = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
})

const releaseDiff = z
  .object({
    from: z.string(),
    to: z.string(),
    environment: nameChanges,
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
    surge: z.object({ cpuUnits: z.number(), memoryBytes: z.number() }),
  })
  .meta({ id: 'ReleaseDiff' })

/** What a promote, scale, restart or rollback ended with. */
export const promoteResult = z
  .object({ app: z.string(), release: z.string(), receipt, endpoints })
  .meta({ id: 'PromoteResult' })

const releaseParams = z.object({ app: z.string(), release: z.string() })

/** Releases. */
export const releaseOperations = {
  listReleases: op({
    ...paths.listReleases,
    permission: 'read',
    summary: 'Releases of an app, newest first.',
    params: appParams,
    query: z.strictObject({ limit }),
    reply: z.array(releaseInfo),
  }),
  diffReleases: op({
    ...paths.diffReleases,
    permission: 'read',
    summary: 'What differs between two releases: from the live one to the newest unless named.',
    params: appParams,
    query: z.strictObject({ from: z.string().optional(), to: z.string().optional() }),
    reply: releaseDiff,
  }),
  getRelease: op({
    ...paths.getRelease,
    permission: 'read',
    summary: 'One release.',
    params: releaseParams,
    reply: releaseInfo,
  }),
  releaseManifest: op({
    ...paths.releaseManifest,
    permission: 'read',
    summary: "The text of a release's compose file.",
    params: releaseParams,
    reply: z.object({ text: z.string() }),
  }),
  planPromotion: op({
    ...paths.planPromotion,
    permission: 'read',
    summary: 'What a promote would do, and whether it fits; nothing is touched.',
    params: releaseParams,
    reply: promotion,
  }),
  promoteRelease: op({
    ...paths.promoteRelease,
    permission: 'write',
    summary: 'Make a release the live one.',
    params: releaseParams,
    reply: promoteResult,
  }),
  rollbackRelease: op({
    ...paths.rollbackRelease,
    permission: 'write',
    summary:
      "Promote a new release of an old one's build and environment; `previous` names the one before the live.",
    params: releaseParams,
    reply: promoteResult,
  }),
}

import * as z from 'zod'
import type { Build } from '../../domain/build.ts'
import type { Progress } from '../../domain/control.ts'
import { paths } from '../paths.ts'
import { flag, limit, nothing, op, time } from './op.ts'

const build = z
  .object({
    id: z.string(),
    app: z.string(),
    status: z.enum(['created', 'running', 'complete', 'failed']),
    description: z.string().nullable(),
    release: z.string().nullable(),
    reason: z.string().nullable(),
    created: time,
    started: time.nullable(),
    ended: time.nullable(),
  })
  .meta({ id: 'Build' }) satisfies z.ZodType<Build>

/** One line of what a long operation has to say. */
export const progress = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('log'), text: z.string(), process: z.string().optional(), time }),
    z.object({
      type: z.literal('phase'),
      phase: z.string(),
      state: z.enum(['started', 'ended']),
      process: z.string().optional(),
      detail: z.string().optional(),
      ms: z.number().optional(),
      time,
    }),
  ])
  .meta({ id: 'Progress' }) satisfies z.ZodType<Progress>

const buildParams = z.object({ app: z.string(), build: z.string() })

/** Builds. */
export const buildOperations = {
  getKeptSource: op({
    ...paths.getKeptSource,
    summary:
      'What the next upload may leave out: the files of the newest source that the rack keeps of the app.',
    params: z.object({ app: z.string() }),
    reply: z.object({ id: z.string().nullable(), files: z.array(z.string()) }).meta({ id: 'KeptSource' }),
  }),
  buildApp: op({
    ...paths.buildApp,
    summary:
      'Build an upload (application/x-tar: manifest/index.json, manifest/…, source/…) and make its release.',
    params: z.object({ app: z.string() }),
    query: z.strictObject({
      description: z.string().max(1000).optional(),
      noCache: flag.default(false),
      create: flag.default(false).describe('Create the app when it is not there'),
      base: z
        .string()
        .optional()
        .describe('A kept source that has the files which unchanged.json, before source/…, lists'),
    }),
    reply: z.object({ build: z.string(), release: z.string() }),
  }),
  rebuildApp: op({
    ...paths.rebuildApp,
    summary: 'Build once more what the rack keeps of the source of a build, in the newest environment.',
    params: buildParams,
    query: z.strictObject({ description: z.string().max(1000).optional(), noCache: flag.default(false) }),
    reply: z.object({ build: z.string(), release: z.string() }),
  }),
  listBuilds: op({
    ...paths.listBuilds,
    summary: 'Builds of an app, newest first.',
    params: z.object({ app: z.string() }),
    query: z.strictObject({ limit }),
    reply: z.array(build),
  }),
  getBuild: op({
    ...paths.getBuild,
    summary: 'One build.',
    params: buildParams,
    reply: build,
  }),
  buildLog: op({
    ...paths.buildLog,
    summary: "A build's log from its start; with follow, until the build has ended.",
    params: buildParams,
    query: z.strictObject({ follow: flag.default(false) }),
    reply: progress,
  }),
  cancelBuild: op({
    ...paths.cancelBuild,
    summary: 'End a running build.',
    params: buildParams,
    reply: build,
  }),
  deleteBuild: op({
    ...paths.deleteBuild,
    summary: 'Delete a build that is not live.',
    params: buildParams,
    reply: nothing,
  }),
}

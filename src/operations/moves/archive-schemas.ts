// As a namespace: the bundle then leaves out what is not used.
import * as z from 'zod'
import type { AppArchive, HistoryRow } from '../../domain/app-archive.ts'
import { appNamePattern } from '../../domain/app.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import { checkVariable } from '../../domain/environment.ts'
import { placeKinds, processNamePattern } from '../../domain/manifest.ts'
import { checkServiceName } from '../../domain/service.ts'
import { isKeyPrefix, isSharedDatabase } from '../links/link-options.ts'
import { checkVolumeName } from '../volume-data/current-volumes.ts'

const time = z.iso.datetime()
const count = z.number().int().min(0)
const buildId = z.string().regex(/^B[A-Z]{10}$/)
const releaseId = z.string().regex(/^R[A-Z]{10}$/)
const process = z.string().regex(processNamePattern)
/** Never a name: that leads to whatever has it on this machine. */
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
/** By what is in it on one machine, by its place in a registry elsewhere. */
const reference = z.string().regex(/^([a-z0-9.-]+(:\d{1,5})?(\/[a-z0-9._-]+)+@)?sha256:[0-9a-f]{64}$/)
const strings = z.array(z.string())
const texts = z.record(z.string(), z.string())
const service = z.string().refine((name) => passes(() => checkServiceName(name)))
const volume = z.string().refine((name) => passes(() => checkVolumeName(name)))

function passes(check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (codeOf(error) !== 'invalid') throw error
    return false
  }
}

/** Of an archive of any form. */
export const archiveForm = z.looseObject({
  format: count,
  contents: z.looseObject({ version: z.string().optional() }).optional(),
})

export const appArchive: z.ZodType<AppArchive> = z.strictObject({
  format: count,
  contents: z.strictObject({
    app: z.string().regex(appNamePattern),
    rack: z.string(),
    version: z.string(),
    created: time,
    releases: count,
    release: releaseId.nullable(),
    images: count,
    volumes: z.array(volume),
    domains: strings,
    services: z.array(z.strictObject({ name: service, type: z.string() })),
    lacks: strings,
  }),
  locked: z.boolean(),
  base: z.strictObject({ release: releaseId, build: buildId }).nullable(),
  formation: z.record(
    process,
    z.strictObject({ count: z.number(), cpuUnits: z.number(), memoryBytes: z.number() }),
  ),
  noticed: z.array(
    z.strictObject({
      process,
      port: z.number().int().min(1).max(65_535),
      build: buildId,
      speaksHttp: z.boolean(),
      isServed: z.boolean(),
    }),
  ),
  domains: z.array(z.strictObject({ name: z.string(), process: process.nullable() })),
  lives: z.array(z.strictObject({ release: releaseId, since: time })),
  images: z.array(reference),
})

/** What else older versions have kept with a build is left out. */
const builtImage = z.object({
  reference,
  digest,
  exposed: strings,
  link: texts,
  user: z.string().nullable(),
  healthcheck: z
    .object({
      test: strings,
      intervalMs: z.number(),
      timeoutMs: z.number(),
      retries: z.number(),
      startPeriodMs: z.number(),
    })
    .nullable(),
  volumes: strings,
  entrypoint: strings.nullable(),
  command: strings.nullable(),
  workingDir: z.string().nullable(),
  stopSignal: z.string().nullable(),
  pulled: z.string().exactOptional(),
  binds: z
    .array(z.object({ path: z.string(), source: z.string(), as: z.enum(['release', 'volume']) }))
    .exactOptional(),
})

const place = z.object({ holds: z.enum(placeKinds), isVolume: z.boolean().exactOptional() })

const content = z.object({
  source: z.object({
    files: z.array(z.object({ path: z.string(), text: z.string() })).min(1),
    dotenv: z.string().nullable(),
    texts,
    contents: texts,
    places: z.record(z.string(), place).exactOptional(),
  }),
  images: z.record(process, builtImage),
  kept: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  beside: z.array(z.object({ path: z.string().refine(isInside), mode: count.max(0o7777) })).nullable(),
})

function isInside(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..')
}

const buildRow = z.strictObject({
  build: z.strictObject({
    id: buildId,
    app: z.string(),
    status: z.literal('complete'),
    description: z.string().nullable(),
    release: releaseId.nullable(),
    reason: z.string().nullable(),
    created: time,
    started: time.nullable(),
    ended: time.nullable(),
  }),
  content,
})

const link = z.strictObject({
  alias: process,
  service,
  version: z.string(),
  processes: z.array(process).exactOptional(),
  database: z.string().refine(isSharedDatabase).exactOptional(),
  keyPrefix: z.string().refine(isKeyPrefix).exactOptional(),
})

const releaseRow = z.strictObject({
  release: z.strictObject({
    id: releaseId,
    app: z.string(),
    build: buildId.nullable(),
    description: z.string(),
    created: time,
    basedOn: releaseId.nullable(),
    links: z.array(link).refine((links) => new Set(links.map(({ alias }) => alias)).size === links.length),
  }),
  environment: texts.refine((environment) =>
    Object.entries(environment).every(([name, value]) => passes(() => checkVariable(name, value))),
  ),
})

/** @throws invalid */
export function checkRow(value: object): HistoryRow {
  return 'build' in value ? checkShape(buildRow, value) : checkShape(releaseRow, value)
}

/** @throws invalid, with the place and without what is there: it may be a secret */
export function checkShape<T>(schema: z.ZodType<T>, value: object): T {
  const { data, error } = schema.safeParse(value)
  if (!error) return data
  const path = error.issues[0]!.path.map(String).join('.').slice(0, 200)
  throw unusable(`it says what cannot be${path === '' ? '' : ` at ${JSON.stringify(path)}`}`)
}

export function unusable(why: string, cause?: unknown): RackError {
  return new RackError('invalid', `the archive cannot be used: ${why}`, {
    hint: 'Nothing was changed. Export the app again: rack apps export',
    cause,
  })
}

import { formatDuration } from '../lib/sizes.ts'
import type { BuiltBind } from './binds.ts'
import { RackError } from './error.ts'
import type { Healthcheck, ManifestSource } from './manifest.ts'

export type BuildStatus = 'created' | 'running' | 'complete' | 'failed'

/** The images, one per process type, made from one upload of the source. */
export interface Build {
  id: string
  app: string
  status: BuildStatus
  description: string | null
  /** The release that this build made; null until it is complete. */
  release: string | null
  /** Why it failed. */
  reason: string | null
  created: string
  started: string | null
  ended: string | null
}

/** What a complete build holds beyond its row: enough to read the manifest and plan again. */
export interface BuildContent {
  source: ManifestSource
  images: BuiltImages
  /** The hash of the source as it is kept, without secret files; null when it is not. */
  kept: string | null
  /** Files of the source that are not kept with it, since `source` has what is in them; null for a build of an older rack. */
  beside: BesideFile[] | null
}

/** A file of a source, whose content the manifest has too. */
export interface BesideFile {
  path: string
  mode: number
}

/** What a rack has of an app's newest source, so that it need not be sent again. */
export interface KeptSource {
  /** Null when none is kept. */
  id: string | null
  /** The SHA-256 of each file in base64url: as often as the file is there. */
  files: string[]
}

export const nothingKept: KeptSource = { id: null, files: [] }

/** By process type. */
export type BuiltImages = Record<string, BuiltImage>

/** What an image says of the process that it runs; null where it says nothing, or its build is older than the field. */
export interface ImageSettings {
  /** Argument vectors of ENTRYPOINT and CMD. */
  entrypoint: string[] | null
  command: string[] | null
  workingDir: string | null
  stopSignal: string | null
}

export const noSettings: ImageSettings = {
  entrypoint: null,
  command: null,
  workingDir: null,
  stopSignal: null,
}

/** An image with its configuration, as far as a plan or an engine reads it. */
export interface BuiltImage extends ImageSettings {
  /** What the engine runs, in words that it alone reads: a name in its registry, or on Docker the digest. */
  reference: string
  /** `sha256:…`: what is in it. The same digest is the same image, wherever it lies. */
  digest: string
  /** Container ports of EXPOSE, as `5000/tcp`. */
  exposed: string[]
  /** The image's `LINK_*` variables only. */
  link: Record<string, string>
  user: string | null
  /** True when the image brings a HEALTHCHECK of its own. */
  healthcheck: Healthcheck | null
  /** Paths of VOLUME. */
  volumes: string[]
  /** What was pulled, by its digest: the same image again, wherever its tag leads by then. */
  pulled?: string
  /** The relative bind mounts of the type as its build read them, by path; absent where it has none. */
  binds?: BuiltBind[]
}

/** Fields that images have not always had. */
type LaterFields = keyof ImageSettings | 'reference'

type KeptImage = Omit<BuiltImage, LaterFields> & Partial<Pick<BuiltImage, LaterFields>>

/** A content as any version has kept it. */
export interface KeptContent {
  source: ManifestSource
  images: Record<string, KeptImage>
  kept?: string | null
  beside?: BesideFile[] | null
}

/** A kept content in today's form. */
export function contentOfToday({ source, images, kept = null, beside = null }: KeptContent): BuildContent {
  const entries = Object.entries(images).map(([type, image]) => {
    return [type, { ...noSettings, reference: image.digest, ...image }] as const
  })
  return { source, images: Object.fromEntries(entries), kept, beside }
}

/** What is said of a build that was ended because its time was up. */
export function buildTooLong(app: string, deadlineMs: number): RackError {
  const twice = `${Math.ceil((2 * deadlineMs) / 60_000)}m`
  return new RackError('timeout', `the build of ${app} took longer than ${formatDuration(deadlineMs)}`, {
    hint: `Its log says where it stood. To give builds more time: rack parameters set builds.deadline=${twice}`,
  })
}

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
}

/** By process type. */
export type BuiltImages = Record<string, BuiltImage>

/** An image by digest with the part of its configuration that a plan reads. */
export interface BuiltImage {
  /** `sha256:…`: what the engine runs. */
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
}

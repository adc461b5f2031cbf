import type { Build, BuildContent } from './build.ts'
import type { Domain } from './domain-name.ts'
import type { Environment } from './environment.ts'
import type { Formation } from './manifest.ts'
import type { NoticedPort } from './noticed-port.ts'
import type { Release } from './release.ts'

/** Of which releases an export of an app has the images: of the one that is live, or of all whose images are kept. */
export const exportedImages = ['none', 'live', 'all'] as const

/** What an export of an app is asked to hold, besides its history. */
export interface AppExportScope {
  images: (typeof exportedImages)[number]
  /** The data of its volumes. */
  volumes: boolean
}

/** What an export of an app holds, and what not. */
export interface AppExportContents {
  app: string
  rack: string
  /** Of Rack, when it was made. */
  version: string
  /** RFC 3339. */
  created: string
  /** How many. */
  releases: number
  /** The live one; null where none is. */
  release: string | null
  /** How many. */
  images: number
  /** By the names of its file. */
  volumes: string[]
  domains: string[]
  /** What it links, whose data is not in it. */
  services: LinkedService[]
  /** What a person may miss in it, a sentence each. */
  lacks: string[]
}

export interface LinkedService {
  name: string
  type: string
}

/** What stands first in the archive of an app: all but its rows, and what is large. */
export interface AppArchive {
  format: number
  contents: AppExportContents
  locked: boolean
  /** What was live, or else the newest that has a build: what is made live of it elsewhere. Null where none has one. */
  base: { release: string; build: string } | null
  formation: Record<string, Formation>
  noticed: NoticedPort[]
  domains: Pick<Domain, 'name' | 'process'>[]
  /** When which release became live, oldest first. */
  lives: Life[]
  /** References of the images that are in it. */
  images: string[]
}

/** That a release became live. */
export interface Life {
  release: string
  since: string
}

/** A row of an app's history, as it goes from rack to rack. */
export type HistoryRow =
  | { build: Build; content: BuildContent }
  | { release: Release; environment: Environment }

/** The form of the archive that this version writes, and the newest that it reads. */
export const appArchiveFormat = 1

/** What an archive of an app says as its type. */
export const appArchiveType = 'app'

/** Parts of the archive; `APP` first, then builds before the releases that name them, the oldest of each first. */
export const appArchiveParts = {
  app: 'app.json',
  builds: 'builds.ndjson',
  releases: 'releases.ndjson',
  sources: 'sources/',
  volumes: 'volumes/',
  images: 'images.tar',
}

/** The version that a link has of a service whose login or address was another rack's: there is none of it here. */
export const versionElsewhere = 'elsewhere'

/** As what the sealed part of a file is bound to its head. */
export function appArchivePlace(head: string): string[] {
  return ['rack app', head]
}

import {
  appArchiveFormat,
  appArchiveParts,
  appArchiveType,
  type AppArchive,
  type HistoryRow,
} from '../../domain/app-archive.ts'
import type { BuildContent } from '../../domain/build.ts'
import type { NamedImage } from '../../domain/engine.ts'
import type { Environment } from '../../domain/environment.ts'
import { RackError } from '../../domain/error.ts'
import { largestManifestBytes } from '../../domain/manifest.ts'
import type { Release } from '../../domain/release.ts'
import { bytesUpTo } from '../../lib/bytes-up-to.ts'
import { readLines } from '../../lib/lines.ts'
import { decompressZstd } from '../../lib/zstd.ts'
import { readBackup, type PartStream } from '../services/backup/backup-archive.ts'
import { checkFormation } from '../scale-process.ts'
import { appArchive, archiveForm, checkRow, checkShape, unusable } from './archive-schemas.ts'

/** What an archive of an app is found to hold, when all of it was read. */
export interface FoundArchive {
  archive: AppArchive
  /** Ids, in the order in which they were made. */
  builds: string[]
  releases: string[]
  /** What is to be made live of it; null where no release has a build. */
  base: { release: Release; environment: Environment; content: BuildContent } | null
  newest: Release | null
  /** What is in the images of all builds, by what they are called there. */
  digests: Map<string, string>
}

/** A row holds all files that a compose file names, some in base64. */
const longestRow = 4 * largestManifestBytes

const largestHead = 16 * 2 ** 20

/** Builds and releases, and images that they name. */
const mostRows = 100_000
const mostReferences = 20_000

/** Written at once. */
const [rowsAtOnce, charactersAtOnce] = [16, 8 * 2 ** 20]

/** Reads all of an archive, and keeps what there is to decide about. @throws invalid; unsupported for a newer one */
export async function readArchive(content: AsyncIterable<Uint8Array>): Promise<FoundArchive> {
  let archive: AppArchive | null = null
  const history: History = {
    builds: [],
    releases: [],
    digests: new Map(),
    newest: null,
    content: null,
    base: null,
  }
  const ids = new Set<string>()
  for await (const part of partsOf(content)) {
    if (part.name === appArchiveParts.app) archive = await readHead(part)
    else if (archive === null) throw unusable('what it is does not stand first')
    else if (part.name === appArchiveParts.builds || part.name === appArchiveParts.releases)
      for await (const row of rowsOf(part)) {
        const { id } = 'build' in row ? row.build : row.release
        if (ids.size === ids.add(id).size) throw unusable(`it names ${id} twice`)
        if (ids.size > mostRows) throw unusable(`it has more than ${mostRows} builds and releases`)
        note(history, row, archive.base)
      }
    else for await (const _ of part.content);
  }
  if (archive === null) throw unusable('it does not say what it is')
  const { base, content: built, ...found } = history
  if (archive.base === null) return { archive, ...found, base: null }
  if (base === null || built === null || base.release.build !== archive.base.build)
    throw unusable(`it does not hold ${archive.base.release}`)
  return { archive, ...found, base: { ...base, content: built } }
}

interface History extends Pick<FoundArchive, 'builds' | 'releases' | 'newest' | 'digests'> {
  /** Of the build of what is to be made live. */
  content: BuildContent | null
  base: { release: Release; environment: Environment } | null
}

/** Takes note of what there is to decide about in a row. */
function note(history: History, row: HistoryRow, base: AppArchive['base']): void {
  if ('build' in row) {
    history.builds.push(row.build.id)
    for (const { reference, digest } of Object.values(row.content.images)) {
      if ((history.digests.get(reference) ?? digest) !== digest)
        throw unusable(`it calls two images ${reference}`)
      history.digests.set(reference, digest)
    }
    if (history.digests.size > mostReferences) throw unusable(`it names more than ${mostReferences} images`)
    if (row.build.id === base?.build) history.content = row.content
    return
  }
  history.releases.push(row.release.id)
  history.newest = row.release
  if (row.release.id === base?.release) history.base = row
}

/** Images that are in it and that its builds name, as they are called there. */
export function imagesIn({ archive, digests }: FoundArchive): NamedImage[] {
  return archive.images.flatMap((reference) => {
    const digest = digests.get(reference)
    return digest === undefined ? [] : [{ reference, digest }]
  })
}

/** Its parts, one after the other. @throws invalid for what is no archive of an app */
export async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<PartStream> {
  for await (const item of readBackup(decompressZstd(content))) {
    if ('content' in item) yield item
    else if (item.about.type !== appArchiveType) {
      throw new RackError('invalid', `that is no export of an app, but a backup of ${item.about.service}`, {
        hint: 'Put it back with: rack services restore, or rack volumes restore',
      })
    }
  }
}

/** The rows of a part, one at a time. @throws invalid */
async function* rowsOf({ content }: PartStream): AsyncGenerator<HistoryRow> {
  for await (const line of readLines(content, longestRow)) yield rowOf(line)
}

/** The rows of a part, as many at a time as are to be held. @throws invalid */
export async function* batchesOf({ content }: PartStream): AsyncGenerator<HistoryRow[]> {
  let [held, characters]: [HistoryRow[], number] = [[], 0]
  for await (const line of readLines(content, longestRow)) {
    held.push(rowOf(line))
    characters += line.length
    if (held.length < rowsAtOnce && characters < charactersAtOnce) continue
    yield held
    ;[held, characters] = [[], 0]
  }
  if (held.length > 0) yield held
}

const rowOf = (line: string) => checkRow(parse(line))

async function readHead({ content }: PartStream): Promise<AppArchive> {
  const bytes = await bytesUpTo(content, largestHead)
  if (bytes === null) throw unusable(`what it is takes more than ${largestHead / 2 ** 20} MiB`)
  const value = parse(bytes.toString())
  const { format, contents } = checkShape(archiveForm, value)
  if (format > appArchiveFormat) {
    const by = `Rack ${contents?.version ?? 'of a later time'}`
    throw new RackError('unsupported', `the archive is of a newer form (${format}), by ${by}`, {
      hint: 'Nothing was changed. Bring this rack up to date first: rack update FILE',
    })
  }
  const archive = checkShape(appArchive, value)
  for (const [type, formation] of Object.entries(archive.formation)) checkFormation(type, formation)
  return archive
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    throw unusable('what it says cannot be read', cause)
  }
  throw unusable('what it says cannot be read')
}

import {
  appArchiveFormat,
  appArchiveParts,
  appArchiveType,
  type AppArchive,
  type HistoryRow,
} from '../../domain/app-archive.ts'
import type { BuildContent } from '../../domain/build.ts'
import type { Environment } from '../../domain/environment.ts'
import { RackError } from '../../domain/error.ts'
import { idPattern } from '../../domain/id.ts'
import type { Release } from '../../domain/release.ts'
import { readLines } from '../../lib/lines.ts'
import { decompressZstd } from '../../lib/zstd.ts'
import { readBackup, type PartStream } from '../services/backup/backup-archive.ts'
import { checkVolumeName } from '../volume-data/current-volumes.ts'

/** What an archive of an app is found to hold, when all of it was read. */
export interface FoundArchive {
  archive: AppArchive
  /** Ids, in the order in which they were made. */
  builds: string[]
  releases: string[]
  /** What is to be made live of it; null where no release has a build. */
  base: { release: Release; environment: Environment; content: BuildContent } | null
  newest: Release | null
}

/** A row holds all files that a compose file names. */
const longestRow = 256 * 2 ** 20

/** Reads all of an archive, and keeps what there is to decide about. @throws invalid; unsupported for a newer one */
export async function readArchive(content: AsyncIterable<Uint8Array>): Promise<FoundArchive> {
  let archive: AppArchive | null = null
  const history: History = { builds: [], releases: [], newest: null, content: null, base: null }
  for await (const part of partsOf(content)) {
    if (part.name === appArchiveParts.app) archive = await readHead(part)
    else if (archive === null) throw unusable('what it is does not stand first')
    else if (part.name === appArchiveParts.builds || part.name === appArchiveParts.releases)
      for await (const row of rowsOf(part)) note(history, row, archive.base)
    else for await (const _ of part.content);
  }
  if (archive === null) throw unusable('it does not say what it is')
  const { base, content: built, ...found } = history
  if (archive.base === null) return { archive, ...found, base: null }
  if (base === null || built === null) throw unusable(`it does not hold ${archive.base.release}`)
  return { archive, ...found, base: { ...base, content: built } }
}

interface History extends Pick<FoundArchive, 'builds' | 'releases' | 'newest'> {
  /** Of the build of what is to be made live. */
  content: BuildContent | null
  base: { release: Release; environment: Environment } | null
}

/** Takes note of what there is to decide about in a row. */
function note(history: History, row: HistoryRow, base: AppArchive['base']): void {
  if ('build' in row) {
    history.builds.push(row.build.id)
    if (row.build.id === base?.build) history.content = row.content
    return
  }
  history.releases.push(row.release.id)
  history.newest = row.release
  if (row.release.id === base?.release) history.base = row
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
export async function* rowsOf({ content }: PartStream): AsyncGenerator<HistoryRow> {
  for await (const line of readLines(content, longestRow)) {
    const row = parse(line) as HistoryRow
    const id = 'build' in row ? row.build.id : row.release.id
    if (!idPattern.test(id)) throw unusable(`it names "${id}", which is no id`)
    yield row
  }
}

async function readHead({ content }: PartStream): Promise<AppArchive> {
  const archive = parse(Buffer.concat(await Array.fromAsync(content)).toString()) as AppArchive
  if (archive.format > appArchiveFormat) {
    const by = `Rack ${archive.contents.version}`
    throw new RackError('unsupported', `the archive is of a newer form (${archive.format}), by ${by}`, {
      hint: 'Nothing was changed. Bring this rack up to date first: rack update FILE',
    })
  }
  for (const volume of archive.contents.volumes) checkVolumeName(volume)
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

function unusable(why: string, cause?: unknown): RackError {
  return new RackError('invalid', `the archive cannot be used: ${why}`, {
    hint: 'Nothing was changed. Export the app again: rack apps export',
    cause,
  })
}

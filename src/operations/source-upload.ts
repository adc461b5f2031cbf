import { RackError } from '../domain/error.ts'
import { largestManifestBytes, placeKinds, type ManifestSource, type PlaceKind } from '../domain/manifest.ts'
import { readTar, rewriteTar } from '../lib/tar.ts'

/**
 * The layout of an upload, a tar: `manifest/index.json` first, which lists the files a manifest is read from; those
 * files under `manifest/files/`, and `.env` as `manifest/dotenv`; then the source directory under `source/`. They are
 * apart from the source so that `.env` never has to be in a build's context.
 */
interface UploadIndex {
  files: string[]
  dotenv: boolean
  texts: string[]
  contents: string[]
  /** What the source directory has where relative bind mounts look; absent where the upload is all of it. */
  places?: Record<string, PlaceKind>
}

const largestFileBytes = 1024 * 1024
/** What an entry costs beside its name and content. */
const entryBytes = 512
const fileTypes: ReadonlySet<string> = new Set(['file', 'contiguous-file'])
const sourceTypes: ReadonlySet<string> = new Set([...fileTypes, 'directory', 'symlink', 'link'])

/**
 * Reads the texts of an upload; the source behind them is not touched.
 * @throws manifest-missing; invalid; too-large for a file of it, or for all of them together
 */
export async function readManifestSource(upload: AsyncIterable<Uint8Array>): Promise<ManifestSource> {
  try {
    return sourceOf(await readManifestPart(upload))
  } catch (error) {
    if (error instanceof RackError) throw error
    throw new RackError('invalid', 'the upload is not a tar', { cause: error })
  }
}

/** Contents by name below `manifest/`. */
async function readManifestPart(upload: AsyncIterable<Uint8Array>): Promise<Map<string, Buffer>> {
  const sent = new Map<string, Buffer>()
  let together = 0
  for await (const { header, content } of readTar(upload)) {
    const { name, type } = header
    if (!name.startsWith('manifest/')) break
    if (!fileTypes.has(type ?? '')) throw new RackError('invalid', `${name} of the upload is no file`)
    const file = await readWhole(name, content)
    together += entryBytes + name.length + file.length
    if (together > largestManifestBytes) throw tooLargeTogether()
    sent.set(name.slice('manifest/'.length), file)
  }
  return sent
}

function tooLargeTogether(): RackError {
  const most = largestManifestBytes / 2 ** 20
  return new RackError('too-large', `the files of the manifest are larger than ${most} MiB together`, {
    hint: 'The compose file names them: COPY large ones in the Dockerfile.',
  })
}

/**
 * The source directory of an upload, or what of it is wanted, as a tar stream with paths relative to it. The stream
 * fails with invalid for what is no part of a source: devices and pipes.
 */
export function sourceTar(
  upload: AsyncIterable<Uint8Array>,
  isWanted: (path: string) => boolean = () => true,
): AsyncIterable<Uint8Array> {
  return rewriteTar(upload, (name, { type }) => {
    const path = name.startsWith('source/') ? name.slice('source/'.length) : ''
    if (path === '' || !isWanted(path)) return null
    if (sourceTypes.has(type ?? '')) return path
    throw new RackError('invalid', `${path} of the upload is no file, folder or link`)
  })
}

function sourceOf(sent: Map<string, Buffer>): ManifestSource {
  const { files, dotenv, texts, contents, places } = indexOf(sent)
  const sentAs = (name: string): Buffer => {
    const bytes = sent.get(name)
    if (bytes !== undefined) return bytes
    throw new RackError('invalid', `the upload names ${name} but does not hold it`)
  }
  const bytesOf = (path: string): Buffer => sentAs(`files/${path}`)
  // Once for each path, however often it is named.
  const known = new Map<string, string>()
  const read = (path: string): string => {
    const text = known.get(path) ?? bytesOf(path).toString('utf8')
    known.set(path, text)
    return text
  }
  if (files.length === 0) throw new RackError('manifest-missing', 'the upload has no compose file')
  return {
    files: files.map((path) => ({ path, text: read(path) })),
    dotenv: dotenv ? sentAs('dotenv').toString('utf8') : null,
    texts: Object.fromEntries(texts.map((path) => [path, read(path)])),
    contents: Object.fromEntries(
      [...new Set(contents)].map((path) => [path, bytesOf(path).toString('base64')]),
    ),
    ...(places && {
      places: Object.fromEntries(Object.entries(places).map(([path, holds]) => [path, { holds }])),
    }),
  }
}

function indexOf(sent: Map<string, Buffer>): UploadIndex {
  const text = sent.get('index.json')?.toString('utf8')
  if (text === undefined) throw new RackError('manifest-missing', 'the upload has no manifest/index.json')
  return checkIndex(parseJson(text))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new RackError('invalid', 'manifest/index.json is not JSON', { cause: error })
  }
}

function checkIndex(found: unknown): UploadIndex {
  if (!isRecord(found)) throw wrongIndex('it', 'an object')
  const { files = [], dotenv = false, texts = [], contents = [], places } = found as Partial<UploadIndex>
  for (const [name, list] of Object.entries({ files, texts, contents })) {
    const isList = Array.isArray(list) && list.every((path) => typeof path === 'string')
    if (!isList) throw wrongIndex(`\`${name}\``, 'a list of paths')
  }
  if (typeof dotenv !== 'boolean') throw wrongIndex('`dotenv`', 'true or false')
  const isKnown = (holds: unknown) => placeKinds.some((kind) => kind === holds)
  if (places !== undefined && !(isRecord(places) && Object.values(places).every(isKnown)))
    throw wrongIndex('`places`', 'an object of what is where')
  return { files, dotenv, texts, contents, ...(places && { places }) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongIndex(what: string, expected: string): RackError {
  return new RackError('invalid', `manifest/index.json cannot be used: ${what} is not ${expected}`)
}

async function readWhole(name: string, content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.byteLength
    if (bytes > largestFileBytes) throw new RackError('too-large', `${name} is larger than 1 MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

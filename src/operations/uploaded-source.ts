import { createHash, hash as hashOnce } from 'node:crypto'
import { RackError } from '../domain/error.ts'
import { readTar, writeTar, type TarEntry } from '../lib/tar.ts'
import { sourceTar } from './source-upload.ts'

/** The source directory of an upload, whichever of its files were sent. */
export interface UploadedSource {
  /** A fresh tar of it, or of what is wanted, with paths relative to it. Fails with invalid for what is no part of a source. */
  open(isWanted?: (path: string) => boolean): AsyncIterable<Uint8Array>
  /** What is in it, without reading what was not sent. */
  list(isWanted: (path: string) => boolean, signal: AbortSignal): Promise<SourceEntry[]>
}

export interface SourceEntry {
  path: string
  type: string
  mode: number
  linkname: string | null
  size: number
  /** SHA-256 of the content in base64url. */
  hash: string
}

/** A source that is here already: its files, and a fresh tar of it. */
export interface KnownSource {
  files: KnownFile[]
  open(): AsyncIterable<Uint8Array>
}

export type KnownFile = Pick<SourceEntry, 'path' | 'size' | 'hash'>

/** A file that is not sent, since a known source has its content: under any name, as often as it is there. */
interface UnchangedFile {
  path: string
  mode: number
  /** Seconds since 1970. */
  modified: number
  hash: string
}

type Upload = () => AsyncIterable<Uint8Array>

/** Lists the files that are not sent; before `source/` in the tar. */
const unchangedName = 'unchanged.json'
/** Some three hundred thousand files. */
const largestUnchangedBytes = 32 * 1024 * 1024

/** The source of an upload that holds all of it. */
export function wholeSource(upload: Upload): UploadedSource {
  return {
    open: (isWanted) => sourceTar(upload(), isWanted),
    list: (isWanted, signal) => listEntries(readTar(sourceTar(upload(), isWanted)), signal),
  }
}

/**
 * The source of an upload that leaves out what a known one has. Every file that it names takes one of that content from
 * there, so that the whole is never larger than the two.
 * @throws invalid; gone for a file that the known source lacks; too-large for more than `maxBytes` together
 */
export async function mergedSource(
  upload: Upload,
  known: KnownSource,
  maxBytes: number,
): Promise<UploadedSource & { unchanged: number }> {
  const files = await readUnchanged(upload())
  checkKnown(files, known.files, maxBytes)
  const wantedOf = (isWanted: (path: string) => boolean) => files.filter(({ path }) => isWanted(path))
  const sent = (isWanted: (path: string) => boolean) => readTar(sourceTar(upload(), isWanted))
  return {
    unchanged: files.length,
    open: (isWanted = () => true) => writeTar(merged(sent(isWanted), wantedOf(isWanted), known)),
    async list(isWanted, signal) {
      const sizes = new Map(known.files.map(({ hash, size }) => [hash, size]))
      const unchanged = wantedOf(isWanted).map(({ path, mode, hash }) => {
        return { path, type: 'file', mode, linkname: null, size: sizes.get(hash)!, hash }
      })
      return [...(await listEntries(sent(isWanted), signal)), ...unchanged]
    },
  }
}

async function* merged(
  sent: AsyncIterable<TarEntry>,
  unchanged: UnchangedFile[],
  known: KnownSource,
): AsyncGenerator<TarEntry> {
  // With its folders first.
  yield* sent
  const wanted = Map.groupBy(unchanged, ({ hash }) => hash)
  const hashes = new Map(known.files.map(({ path, hash }) => [path, hash]))
  for await (const { header, content } of readTar(known.open())) {
    const file = wanted.get(hashes.get(header.name) ?? '')?.pop()
    if (!file) continue
    const { path: name, mode, modified } = file
    yield { header: { ...header, name, mode, mtime: new Date(modified * 1000), pax: null }, content }
  }
  const [missing] = [...wanted.values()].flat()
  if (missing) throw notKnown(missing)
}

/** What a source holds, and the hash of each content. */
export async function listEntries(
  entries: AsyncIterable<TarEntry>,
  signal: AbortSignal,
): Promise<SourceEntry[]> {
  const found: SourceEntry[] = []
  for await (const { header, content } of entries) {
    signal.throwIfAborted()
    const { name, type, mode, size, linkname } = header
    const path = name.replace(/\/$/, '')
    const hash = await hashOf(content)
    found.push({ path, type: type ?? 'file', mode, linkname: linkname || null, size, hash })
  }
  return found
}

async function hashOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of content) hash.update(chunk)
  return hash.digest('base64url')
}

/** Of names, modes, links and contents; not of times, which say nothing of what is built, nor of the order. */
export function hashOfSource(entries: SourceEntry[]): string {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const lines = sorted.map(({ path, type, mode, linkname, hash }) =>
    JSON.stringify([path, type, mode, linkname, hash]),
  )
  return hashOnce('sha256', lines.join('\n'), 'hex')
}

async function readUnchanged(upload: AsyncIterable<Uint8Array>): Promise<UnchangedFile[]> {
  for await (const { header, content } of readTar(upload)) {
    if (header.name.startsWith('source/')) break
    if (header.name !== unchangedName) continue
    if (header.size > largestUnchangedBytes) {
      throw new RackError('too-large', `${unchangedName} is larger than ${largestUnchangedBytes} bytes`, {
        hint: 'Send the whole source.',
      })
    }
    return checkUnchanged(Buffer.concat(await Array.fromAsync(content)).toString('utf8'))
  }
  throw new RackError('invalid', `the upload stands on a kept source, and has no ${unchangedName}`)
}

function checkUnchanged(text: string): UnchangedFile[] {
  try {
    const { files } = JSON.parse(text) as { files: unknown[] }
    return files.map(checkFile)
  } catch (cause) {
    if (cause instanceof RackError) throw cause
    throw new RackError('invalid', `${unchangedName} cannot be read`, { cause })
  }
}

function checkFile(found: unknown): UnchangedFile {
  const [path, mode, modified, hash] = Array.isArray(found) ? (found as unknown[]) : []
  const isPath = typeof path === 'string' && path.split('/').every((word) => !['', '.', '..'].includes(word))
  const isNumber = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
  if (isPath && isNumber(mode) && isNumber(modified) && typeof hash === 'string') {
    return { path, mode: (mode as number) & 0o7777, modified: modified as number, hash }
  }
  throw new RackError('invalid', `${unchangedName} names what is no file`)
}

function checkKnown(files: UnchangedFile[], known: KnownFile[], maxBytes: number): void {
  const byHash = Map.groupBy(known, ({ hash }) => hash)
  let bytes = 0
  for (const [hash, same] of Map.groupBy(files, (file) => file.hash)) {
    const there = byHash.get(hash) ?? []
    if (same.length > there.length) throw notKnown(same[there.length]!)
    bytes += same.length * (there[0]?.size ?? 0)
  }
  if (bytes > maxBytes) throw sourceTooLarge(maxBytes)
}

function notKnown({ path }: UnchangedFile): RackError {
  return new RackError('gone', `the content of ${path} is not in the kept source`, {
    hint: 'Send the whole source.',
  })
}

/** What is said of a source that is larger than the rack takes. */
export function sourceTooLarge(maxBytes: number): RackError {
  return new RackError('too-large', `the source is larger than ${Math.round(maxBytes / 2 ** 20)} MiB`, {
    hint: 'List what a build does not need in .dockerignore.',
  })
}

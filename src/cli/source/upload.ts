import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { nothingKept, type KeptSource } from '../../domain/build.ts'
import { createFolderReader, type FolderReader } from '../../lib/folder-reader.ts'
import { tarEnd, tarHead, tarPadding } from '../../lib/tar-blocks.ts'
import { createPieces, fileBytes, fileHash } from './file-bytes.ts'
import type { LocalManifest } from './read-manifest-source.ts'
import {
  unreadable,
  walkSource,
  type OnSkipped,
  type SourceDirectory,
  type SourceEntry,
} from './walk-source.ts'

/**
 * The upload of a build as a tar: `manifest/index.json`, the files it lists under `manifest/files/`, `.env` as
 * `manifest/dotenv`, then what the build contexts include under `source/`. What the rack keeps is listed in
 * `unchanged.json` before it, and not sent. Read as fast as it is taken; files are read in one go, synchronously, since
 * for many small ones that is several times as fast.
 * @throws invalid for what cannot be read, or changes meanwhile
 */
export async function* uploadOf(
  manifest: LocalManifest,
  onSkipped: OnSkipped,
  { kept = nothingKept, fetched = null }: { kept?: KeptSource; fetched?: SourceDirectory | null } = {},
): AsyncGenerator<Uint8Array> {
  yield manifestPart(manifest)
  const pieces = createPieces()
  const walked = walkAll(fetched ? [manifest, fetched] : [manifest], onSkipped)
  const { unchanged, entries } =
    kept.id === null ? { unchanged: null, entries: walked } : sortOut(walked, kept.files)
  if (unchanged) yield fileEntry('unchanged.json', Buffer.from(JSON.stringify({ files: unchanged })))
  for (const found of entries) {
    for (const bytes of entryBytes(found)) {
      const full = pieces.add(bytes)
      if (full) yield full
    }
  }
  const last = pieces.add(tarEnd())
  if (last) yield last
  yield pieces.rest()
}

/** An entry, and the directory that it is of. */
interface Found {
  directory: string
  folder: FolderReader
  entry: SourceEntry
}

/** The source itself, and what was fetched to lie in it. */
function* walkAll(sources: SourceDirectory[], onSkipped: OnSkipped): Generator<Found> {
  for (const source of sources) {
    const { directory } = source
    const folder = createFolderReader(directory)
    for (const entry of walkSource(source, onSkipped)) yield { directory, folder, entry }
  }
}

/** Path, permission bits, seconds since 1970, SHA-256 in base64url. */
type UnchangedFile = [path: string, mode: number, modified: number, hash: string]

/** Looks into every file: neither its time nor its size says that it is the one that was sent. */
function sortOut(
  walked: Iterable<Found>,
  hashes: string[],
): { unchanged: UnchangedFile[]; entries: Found[] } {
  const left = new Map<string, number>()
  for (const hash of hashes) left.set(hash, (left.get(hash) ?? 0) + 1)
  const unchanged: UnchangedFile[] = []
  const entries: Found[] = []
  for (const found of walked) {
    const { folder, entry } = found
    const file = entry.type === 'file' ? openItself(folder, entry.path) : null
    const hash = file === null ? '' : fileHash(file)
    const count = left.get(hash) ?? 0
    if (count === 0) {
      entries.push(found)
      continue
    }
    left.set(hash, count - 1)
    const { mode, mtimeMs } = entry.stats
    unchanged.push([entry.path, mode & 0o7777, Math.max(0, Math.floor(mtimeMs / 1000)), hash])
  }
  return { unchanged, entries }
}

function fileEntry(name: string, content: Buffer): Buffer {
  const head = { name, type: 'file' as const, mode: 0o600, size: content.length, modified: new Date() }
  return Buffer.concat([tarHead(head), content, tarPadding(content.length)])
}

function manifestPart({
  source: { files, dotenv, texts: further, contents, places = {} },
}: LocalManifest): Buffer {
  const index = {
    files: files.map(({ path }) => path),
    dotenv: dotenv !== null,
    texts: Object.keys(further),
    contents: Object.keys(contents),
    places: Object.fromEntries(Object.entries(places).map(([path, { holds }]) => [path, holds])),
  }
  const texts: [string, string][] = [
    ...files.map(({ path, text }): [string, string] => [path, text]),
    ...Object.entries(further),
  ]
  // A file that is named both as a text and as a content is sent once.
  const named = new Map<string, Buffer>([
    ['index.json', Buffer.from(JSON.stringify(index))],
    ...Object.entries(contents).map(([path, base64]): [string, Buffer] => [
      `files/${path}`,
      Buffer.from(base64, 'base64'),
    ]),
    ...texts.map(([path, text]): [string, Buffer] => [`files/${path}`, Buffer.from(text)]),
    // Apart from the files: it stands beside the first of them, which need not be at the top.
    ...(dotenv === null ? [] : ([['dotenv', Buffer.from(dotenv)]] as [string, Buffer][])),
  ])
  return Buffer.concat([...named].map(([path, content]) => fileEntry(`manifest/${path}`, content)))
}

function* entryBytes({ directory: root, folder, entry }: Found): Generator<Buffer> {
  const { path, type, stats } = entry
  const head = { name: `source/${path}`, mode: stats.mode, modified: stats.mtime, size: 0 }
  if (type === 'directory') yield tarHead({ ...head, type })
  else if (type === 'symlink') yield tarHead({ ...head, type, linkname: readlinkSync(join(root, path)) })
  else {
    const file = openItself(folder, path)
    // It went away since its folder was read.
    if (file !== null) yield* fileBytes(file, head, { path, hint: 'Mend it, or name it in .dockerignore.' })
  }
}

function openItself(folder: FolderReader, path: string): number | null {
  try {
    return folder.openItself(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

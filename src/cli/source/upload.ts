import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { tarEnd, tarHead, tarPadding } from '../../lib/tar-blocks.ts'
import type { LocalManifest } from './read-manifest-source.ts'
import { unreadable, walkSource, type OnSkipped, type SourceEntry } from './walk-source.ts'

/** How much is handed over at once. */
const pieceBytes = 512 * 1024

/**
 * The upload of a build as a tar: `manifest/index.json`, the files it lists under `manifest/files/`, `.env` as
 * `manifest/dotenv`, then what the build contexts include under `source/`. Read as fast as it is taken; files are read
 * in one go, synchronously, since for many small ones that is several times as fast.
 * @throws invalid for what cannot be read, or changes meanwhile
 */
export async function* uploadOf(manifest: LocalManifest, onSkipped: OnSkipped): AsyncGenerator<Uint8Array> {
  yield manifestPart(manifest)
  const pieces = createPieces()
  for (const entry of walkSource(manifest, onSkipped)) {
    for (const bytes of entryBytes(manifest.directory, entry)) {
      const full = pieces.add(bytes)
      if (full) yield full
    }
  }
  const last = pieces.add(tarEnd())
  if (last) yield last
  yield pieces.rest()
}

function manifestPart({ source: { files, dotenv, texts: further, contents } }: LocalManifest): Buffer {
  const index = {
    files: files.map(({ path }) => path),
    dotenv: dotenv !== null,
    texts: Object.keys(further),
    contents: Object.keys(contents),
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
  const modified = new Date()
  const parts = [...named].flatMap(([path, content]) => {
    const head = {
      name: `manifest/${path}`,
      type: 'file' as const,
      mode: 0o600,
      size: content.length,
      modified,
    }
    return [tarHead(head), content, tarPadding(content.length)]
  })
  return Buffer.concat(parts)
}

function* entryBytes(root: string, { path, type, stats }: SourceEntry): Generator<Buffer> {
  const head = { name: `source/${path}`, mode: stats.mode, modified: stats.mtime, size: 0 }
  if (type === 'directory') yield tarHead({ ...head, type })
  else if (type === 'symlink') yield tarHead({ ...head, type, linkname: readlinkSync(join(root, path)) })
  else yield* fileBytes(root, path, head)
}

function* fileBytes(
  root: string,
  path: string,
  head: Omit<Parameters<typeof tarHead>[0], 'type'>,
): Generator<Buffer> {
  const file = openFile(root, path)
  if (file === null) return
  try {
    const { size } = fstatSync(file)
    yield tarHead({ ...head, type: 'file', size })
    // What grows meanwhile (a log) is sent as long as it was.
    for (let sent = 0; sent < size;) {
      const piece = Buffer.allocUnsafe(Math.min(size - sent, pieceBytes))
      const read = readSync(file, piece, 0, piece.length, null)
      if (read === 0) throw shrunk(path)
      yield read === piece.length ? piece : piece.subarray(0, read)
      sent += read
    }
    yield tarPadding(size)
  } finally {
    closeSync(file)
  }
}

function openFile(root: string, path: string): number | null {
  try {
    // Not through a link, and not waiting for a writer, should it have become something else by now.
    return openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw unreadable(path, error)
  }
}

function shrunk(path: string): RackError {
  return new RackError('invalid', `${path} became shorter while it was read`, {
    hint: 'Try again when nothing writes it, or name it in .dockerignore.',
  })
}

/** Gathers small buffers into pieces of at least `pieceBytes`. */
function createPieces() {
  let held: Buffer[] = []
  let bytes = 0
  const rest = (): Buffer => {
    const piece = held.length === 1 ? held[0]! : Buffer.concat(held)
    held = []
    bytes = 0
    return piece
  }
  return {
    add(buffer: Buffer): Buffer | null {
      held.push(buffer)
      bytes += buffer.length
      return bytes >= pieceBytes ? rest() : null
    },
    rest,
  }
}

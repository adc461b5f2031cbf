import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { createFolderReader } from '../../lib/folder-reader.ts'
import { tarEnd, tarHead } from '../../lib/tar-blocks.ts'
import { createPieces, fileBytes } from '../source/file-bytes.ts'
import { unreadable, type OnSkipped } from '../source/walk-source.ts'
import { localFailure } from './local-failure.ts'

/**
 * A file or directory here as a tar in which it has another name, read as fast as it is taken. Files belong to root there.
 * @throws invalid for what cannot be read, or changes meanwhile
 */
export async function* packFiles(
  path: string,
  name: string,
  onSkipped: OnSkipped,
): AsyncGenerator<Uint8Array> {
  const pieces = createPieces()
  for (const bytes of entryBytes({ path, name }, onSkipped)) {
    const full = pieces.add(bytes)
    if (full) yield full
  }
  const last = pieces.add(tarEnd())
  if (last) yield last
  yield pieces.rest()
}

/** What lies at a path here; null when nothing does. */
export function lookAtFile(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null
  } catch (error) {
    throw localFailure(path, error)
  }
}

function* entryBytes(
  { path, name }: { path: string; name: string },
  onSkipped: OnSkipped,
): Generator<Buffer> {
  const stats = lookAtFile(path)
  // It went away since its directory was read.
  if (!stats) return
  if (path.includes('\uFFFD')) throw new RackError('invalid', `${path} cannot be sent: its name is not UTF-8`)
  const head = { name, mode: stats.mode, modified: stats.mtime, size: 0 }
  try {
    if (stats.isDirectory()) {
      yield tarHead({ ...head, type: 'directory' })
      for (const each of readdirSync(path).sort()) {
        yield* entryBytes({ path: join(path, each), name: `${name}/${each}` }, onSkipped)
      }
    } else if (stats.isSymbolicLink())
      yield tarHead({ ...head, type: 'symlink', linkname: readlinkSync(path) })
    else if (stats.isFile()) yield* ownBytes(path, head)
    else onSkipped(path, 'it is no file, folder or link')
  } catch (error) {
    throw localFailure(path, error)
  }
}

function* ownBytes(path: string, head: Parameters<typeof fileBytes>[1]): Generator<Buffer> {
  const hint = 'Try again when nothing writes it.'
  const file = openItself(path, hint)
  if (file !== null) yield* fileBytes(file, head, { path, hint })
}

function openItself(path: string, hint: string): number | null {
  try {
    return createFolderReader(dirname(path)).openItself(basename(path))
  } catch (error) {
    throw unreadable(path, error, hint)
  }
}

import { lstatSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { readTar, type TarEntry } from '../../lib/tar.ts'
import type { OnSkipped } from '../source/walk-source.ts'
import { localFailure } from './local-failure.ts'
import { isContents, nameOf, splitPath } from './place.ts'
import { unpackArchive } from './unpack-archive.ts'

export interface CopyOut {
  /** In the process. */
  from: string
  /** Here, absolute; as it was typed but for that. */
  to: string
  archive: AsyncIterable<Uint8Array>
  signal: AbortSignal
  onSkipped: OnSkipped
}

export interface Copied {
  /** What it is called where it went. */
  place: string
  files: number
}

/** Writes what comes out of a process to where `cp -r` would; what it is, its first entry says. */
export async function copyOut({ from, to, archive, signal, onSkipped }: CopyOut): Promise<Copied> {
  const entries = readTar(archive)
  const first = await entries.next()
  if (first.done === true) throw new RackError('engine-failed', `nothing came of ${from}`)
  const isDirectory = first.value.header.type === 'directory'
  const root = isDirectory ? directoryFor(from, to) : fileFor(from, to)
  // By what it calls itself: of the root, Docker says `/`.
  const base = isContents(from) ? '.' : nameOf(from)
  const all = continued(first.value, entries)
  const files = await unpackArchive({ entries: all, base, root, signal, onSkipped })
  return { place: root, files }
}

async function* continued(first: TarEntry, rest: AsyncIterable<TarEntry>): AsyncGenerator<TarEntry> {
  yield first
  yield* rest
}

/** A directory goes into one that is there, or becomes one that is not. */
function directoryFor(from: string, to: string): string {
  const found = lookThrough(to)
  if (found === 'file') {
    throw new RackError('conflict', `${to} is a file, and ${from} a directory`, {
      hint: 'Name a directory, or a path where nothing is yet.',
    })
  }
  if (found === 'directory') return isContents(from) ? realpathSync(to) : join(realpathSync(to), nameOf(from))
  return besides(to)
}

function fileFor(from: string, to: string): string {
  const found = lookThrough(to)
  if (found === 'directory') return join(realpathSync(to), nameOf(from))
  if (to.endsWith('/')) {
    throw new RackError('not-found', `${to} is no directory`, { hint: `mkdir -p ${to}` })
  }
  return besides(to)
}

/** What is at a path, behind its links. */
function lookThrough(path: string): 'directory' | 'file' | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats) return stats.isDirectory() ? 'directory' : 'file'
    // A link that leads nowhere is replaced by what is copied.
    return lstatSync(path, { throwIfNoEntry: false }) ? 'file' : null
  } catch (error) {
    throw localFailure(path, error)
  }
}

/** The same place by its parent's real path. @throws not-found when the parent is not there */
function besides(path: string): string {
  const { parent, name } = splitPath(path)
  if (lookThrough(parent) !== 'directory') {
    throw new RackError('not-found', `${parent} is no directory`, { hint: `mkdir -p ${parent}` })
  }
  return join(realpathSync(parent), name)
}

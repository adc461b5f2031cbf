import { basename, resolve } from 'node:path'
import type { Client } from '../../client/client-types.ts'
import { isOneOf, RackError } from '../../domain/error.ts'
import type { AppProcess } from '../../domain/process.ts'
import { readTar } from '../../lib/tar.ts'
import type { OnSkipped } from '../source/walk-source.ts'
import { lookAtFile, packFiles } from './pack-files.ts'
import { isContents, nameOf, splitPath } from './place.ts'

/** A directory of a process, and a tar for it. */
export interface Delivery {
  directory: string
  archive: AsyncIterable<Uint8Array>
  /** What it is called where it goes. */
  place: string
}

export interface CopyIn {
  client: Client
  process: AppProcess
  /** Here, absolute; as it was typed but for that. */
  from: string
  /** In the process. */
  to: string
  signal: AbortSignal
  onSkipped: OnSkipped
}

/** Packs what is here for where `cp -r` would put it in the process. */
export async function planDelivery(copy: CopyIn): Promise<Delivery> {
  const { from, to, onSkipped } = copy
  const stats = lookAtFile(from.replace(/(?<=.)\/+$/, ''))
  if (!stats) throw new RackError('not-found', `there is no ${from} here`)
  if (!stats.isDirectory() && from.endsWith('/')) throw new RackError('invalid', `${from} is no directory`)
  const found = await lookInside(copy)
  const { directory, name } = stats.isDirectory() ? directoryAt(copy, found) : fileAt(copy, found)
  const place = name === '.' ? to : `${directory === '/' ? '' : directory.replace(/\/+$/, '')}/${name}`
  return { directory, place, archive: packFiles(resolve(from), name, onSkipped) }
}

interface Target {
  directory: string
  name: string
}

function directoryAt({ from, to }: CopyIn, found: Found): Target {
  if (found === 'file') {
    throw new RackError('conflict', `${to} of the process is a file, and ${from} a directory`, {
      hint: 'Name a directory, or a path where nothing is yet.',
    })
  }
  if (found === 'directory') return { directory: to, name: isContents(from) ? '.' : basename(resolve(from)) }
  return besides(to)
}

function fileAt({ from, to }: CopyIn, found: Found): Target {
  if (found === 'directory') return { directory: to, name: basename(resolve(from)) }
  if (to.endsWith('/') || nameOf(to) === '.') {
    throw new RackError('not-found', `${to} of the process is no directory`)
  }
  return besides(to)
}

function besides(path: string): Target {
  const { parent, name } = splitPath(path.replace(/\/\.$/, ''))
  return { directory: parent, name }
}

type Found = 'directory' | 'file' | null

/** What is at the path in the process, behind its links: the first entry of an archive of it says so. */
async function lookInside(copy: CopyIn): Promise<Found> {
  const { to } = copy
  const asDirectory = await firstEntry(copy, isContents(to) ? to : `${to.replace(/\/+$/, '')}/.`)
  if (asDirectory === 'directory') return 'directory'
  const itself = await firstEntry(copy, to)
  return itself === null ? null : 'file'
}

async function firstEntry(
  { client, process: running, signal }: CopyIn,
  path: string,
): Promise<string | null> {
  const params = { app: running.app, process: running.id }
  try {
    const archive = client.readFiles({ params, query: { path } }, { signal })
    for await (const { header } of readTar(archive)) return header.type ?? 'file'
    return null
  } catch (error) {
    if (isOneOf(error, 'not-found', 'conflict', 'invalid')) return null
    throw error
  }
}

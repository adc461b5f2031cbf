import { posix } from 'node:path'
import { pack, type Header } from 'tar-stream'
import type { FileMount } from '../../src/domain/container.ts'
import type { Archive } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { readTar } from '../../src/lib/tar.ts'

/** A file of a process: what is in it, and its permission bits. */
export interface MemoryFile {
  bytes: Uint8Array
  mode: number
  /** A plain file when absent. */
  type?: 'directory' | 'symlink'
  linkname?: string
  modified?: Date
}

/** Directories that every process has; others are there when something is in them. */
const ownDirectories = new Set(['/', '/tmp'])

/** The files that a plan gives to each of its processes, by path. */
export function plannedFiles(files: FileMount[]): Map<string, MemoryFile> {
  return new Map(
    files.map(({ path, content, mode }) => [path, { bytes: Buffer.from(content, 'base64'), mode }]),
  )
}

/** Moves a tar into a directory of a process's files, or out of them. */
export async function copyFiles(
  files: Map<string, MemoryFile>,
  path: string,
  archive: Archive,
): Promise<void> {
  if ('in' in archive) return await putFiles(files, path, archive.in)
  const isContents = path.endsWith('/.')
  const from = posix.join(path, '/').replace(/(.)\/$/, '$1')
  const base = isContents ? '.' : posix.basename(from)
  const tar = pack()
  for (const [place, file] of [[from, fileAt(files, from, isContents)] as const, ...below(files, from)]) {
    const name = posix.relative(from, place)
    tar.entry(headerOf(name === '' ? base : `${base}/${name}`, file), Buffer.from(file.bytes))
  }
  tar.finalize()
  for await (const chunk of tar as AsyncIterable<Uint8Array>) await archive.out(chunk)
}

async function putFiles(
  files: Map<string, MemoryFile>,
  path: string,
  archive: AsyncIterable<Uint8Array>,
): Promise<void> {
  fileAt(files, path, true)
  for await (const { header, content } of readTar(archive)) {
    const bytes = Buffer.concat(await Array.fromAsync(content))
    const { type, mode, mtime } = header
    const modified = mtime ?? new Date(0)
    const file = { bytes, mode, modified }
    const place = posix.join(path, header.name).replace(/\/$/, '')
    if (type === 'file') files.set(place, file)
    if (type === 'directory') files.set(place, { ...file, type })
    if (type === 'symlink') files.set(place, { ...file, type, linkname: header.linkname ?? '' })
  }
}

const below = (files: Map<string, MemoryFile>, path: string) =>
  [...files].filter(([name]) => name.startsWith(posix.join(path, '/')) && name !== path)

/** @throws not-found, or conflict where a directory is wanted */
function fileAt(files: Map<string, MemoryFile>, path: string, isDirectory: boolean): MemoryFile {
  const file = files.get(path)
  if (file && (!isDirectory || file.type === 'directory')) return file
  if (file) throw new RackError('conflict', `${path} is not a directory`)
  if (below(files, path).length === 0 && !ownDirectories.has(path))
    throw new RackError('not-found', `no ${path} in the process`)
  return { bytes: Buffer.alloc(0), mode: 0o755, type: 'directory' }
}

function headerOf(
  name: string,
  { type, mode, linkname, modified }: MemoryFile,
): Partial<Header> & { name: string } {
  const header = { name: type === 'directory' ? `${name}/` : name, type: type ?? ('file' as const), mode }
  return { ...header, ...(modified && { mtime: modified }), ...(linkname !== undefined && { linkname }) }
}

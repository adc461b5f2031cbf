import { posix } from 'node:path'
import { pack } from 'tar-stream'
import type { FileMount } from '../../src/domain/container.ts'
import { readTar } from '../../src/lib/tar.ts'

type Archive = { in: AsyncIterable<Uint8Array> } | { out: (chunk: Uint8Array) => Promise<void> }

/** A file of a process: what is in it, and its permission bits. */
export interface MemoryFile {
  bytes: Uint8Array
  mode: number
}

/** The files that a plan gives to each of its processes, by path. */
export function plannedFiles(files: FileMount[]): Map<string, MemoryFile> {
  return new Map(
    files.map(({ path, content, mode }) => [path, { bytes: Buffer.from(content, 'base64'), mode }]),
  )
}

/** Moves a tar into or out of a process's files: names inside are relative to the directory, or begin with its name. */
export async function copyFiles(
  files: Map<string, MemoryFile>,
  path: string,
  archive: Archive,
): Promise<void> {
  if ('in' in archive) {
    for await (const { header, content } of readTar(archive.in)) {
      const bytes = Buffer.concat(await Array.fromAsync(content))
      if (header.type === 'file') {
        files.set(posix.join(path, header.name), { bytes, mode: header.mode ?? 0o644 })
      }
    }
    return
  }
  const tar = pack()
  const inside = [...files].filter(([name]) => name === path || name.startsWith(posix.join(path, '/')))
  for (const [name, { bytes, mode }] of inside) {
    tar.entry({ name: posix.relative(posix.dirname(path), name), mode }, Buffer.from(bytes))
  }
  tar.finalize()
  for await (const chunk of tar as AsyncIterable<Uint8Array>) await archive.out(chunk)
}

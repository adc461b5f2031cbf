import { posix } from 'node:path'
import { pack } from 'tar-stream'
import { readTar } from '../../src/lib/tar.ts'

type Archive = { in: AsyncIterable<Uint8Array> } | { out: (chunk: Uint8Array) => Promise<void> }

/** Moves a tar into or out of a process's files: names inside are relative to the directory, or begin with its name. */
export async function copyFiles(
  files: Map<string, Uint8Array>,
  path: string,
  archive: Archive,
): Promise<void> {
  if ('in' in archive) {
    for await (const { header, content } of readTar(archive.in)) {
      const bytes = Buffer.concat(await Array.fromAsync(content))
      if (header.type === 'file') files.set(posix.join(path, header.name), bytes)
    }
    return
  }
  const tar = pack()
  const inside = [...files].filter(([name]) => name === path || name.startsWith(posix.join(path, '/')))
  for (const [name, content] of inside) {
    tar.entry({ name: posix.relative(posix.dirname(path), name) }, Buffer.from(content))
  }
  tar.finalize()
  for await (const chunk of tar as AsyncIterable<Uint8Array>) await archive.out(chunk)
}

import { pack, type Header } from 'tar-stream'
import { readTar } from '../../src/lib/tar.ts'

export interface TarEntry {
  name: string
  content?: string | Uint8Array
  mode?: number
  /** Makes it a symbolic link. */
  linkname?: string
}

/** A tar stream of the entries, made as it is read. */
export async function* packTar(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
): AsyncGenerator<Uint8Array> {
  const tar = pack()
  const filling = (async () => {
    for await (const { name, content = '', mode = 0o644, linkname } of entries) {
      const header =
        linkname === undefined ? { name, mode } : { name, mode, linkname, type: 'symlink' as const }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const written = (error?: Error | null) => (error ? reject(error) : resolve())
      const entry =
        linkname === undefined ? tar.entry(header, Buffer.from(content), written) : tar.entry(header, written)
      entry.on('error', reject)
      await promise
    }
    tar.finalize()
  })()
  yield* tar as AsyncIterable<Uint8Array>
  await filling
}

/** Every entry of a tar with its content as text. */
export async function unpackTar(
  archive: AsyncIterable<Uint8Array>,
): Promise<(Header & { content: string })[]> {
  const found: (Header & { content: string })[] = []
  for await (const { header, content } of readTar(archive)) {
    found.push({ ...header, content: Buffer.concat(await Array.fromAsync(content)).toString() })
  }
  return found
}

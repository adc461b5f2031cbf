import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract as tarExtract, pack as tarPack, type Header, type Pack } from 'tar-stream'

export interface TarEntry {
  header: Header
  /** Must be read to its end, or left: what is left is skipped. */
  content: AsyncIterable<Uint8Array>
}

/**
 * The entries of a tar stream, one at a time; leaving the loop ends the source.
 *
 * @throws the parser's error for bytes that are no tar
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const extract = tarExtract()
  const input = Readable.from(source, { objectMode: false })
  const feeding = pipeline(input, extract)
  // The parser hears of it first, wherever it is; behind the last entry it does not say so.
  feeding.catch((error: Error) => extract.destroy(error))
  try {
    for await (const entry of extract) {
      yield { header: entry.header, content: entry as AsyncIterable<Uint8Array> }
      entry.resume()
    }
    await feeding
  } finally {
    input.destroy()
  }
}

/**
 * A tar stream with entries renamed; an entry whose new name is null is left out. Links that point at entries by name
 * are renamed the same way. Streams: no entry is held whole.
 */
export function rewriteTar(
  source: AsyncIterable<Uint8Array>,
  rename: (name: string, header: Header) => string | null,
): AsyncIterable<Uint8Array> {
  return writeTar(renamed(readTar(source), rename))
}

async function* renamed(
  entries: AsyncIterable<TarEntry>,
  rename: (name: string, header: Header) => string | null,
): AsyncGenerator<TarEntry> {
  for await (const { header, content } of entries) {
    const name = rename(header.name, header)
    if (name === null) continue
    const linkname = header.type === 'link' ? rename(header.linkname ?? '', header) : header.linkname
    yield { header: { ...header, name, linkname: linkname ?? '', pax: null }, content }
  }
}

/** A tar stream of entries, each of which is read before the next is asked for; begun when it is read. */
export async function* writeTar(entries: AsyncIterable<TarEntry>): AsyncGenerator<Uint8Array> {
  const pack = tarPack()
  const write = async () => {
    for await (const { header, content } of entries) {
      const isFile = header.type === 'file' || header.type === 'contiguous-file'
      if (!isFile) await writeWhole(pack, header, Buffer.alloc(0))
      else if (header.size > smallBytes) await pipeline(content, pack.entry(header))
      else await writeWhole(pack, header, Buffer.concat(await Array.fromAsync(content)))
    }
    pack.finalize()
  }
  write().catch((error: Error) => pack.destroy(error))
  yield* pack as AsyncIterable<Uint8Array>
}

/** A stream of its own for each of many small files takes several times as long. */
const smallBytes = 64 * 1024

async function writeWhole(pack: Pack, header: Header, content: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const entry = pack.entry(header, content, (error) => (error ? reject(error) : resolve()))
  // Left in its middle the entry fails too, which without a listener would end the program.
  entry.on('error', reject)
  await promise
}

import { Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'

/** The tool's own usual level. */
const level = 3

/** How much may be read ahead, so that the source goes on while another thread compresses. */
const aheadBytes = 4 * 2 ** 20
const chunkSize = 256 * 2 ** 10

/** A stream, compressed; holds no more of it than a window. */
export function compressZstd(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 }
  return through(content, () => createZstdCompress({ params, chunkSize }))
}

/** What was compressed. @throws the library's error for bytes that are damaged, cut, or none of zstd */
export function decompressZstd(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(content, createZstdDecompress)
}

/** Begun when it is read; the failure of the source is the failure of what comes out. */
async function* through(content: AsyncIterable<Uint8Array>, make: () => Duplex): AsyncGenerator<Uint8Array> {
  const middle = make()
  const source = Readable.from(content, { objectMode: false, highWaterMark: aheadBytes })
  const feeding = pipeline(source, middle).catch((error: Error) => middle.destroy(error))
  try {
    yield* middle as AsyncIterable<Uint8Array>
    await feeding
  } finally {
    source.destroy()
    middle.destroy()
  }
}

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { putBlob, uploadBlob } from './blobs.ts'
import type { ImageTarget } from './copy-image.ts'
import type { Descriptor } from './manifests.ts'

export interface GivenLayer {
  /** As it is, or compressed. */
  content: AsyncIterable<Uint8Array>
  size: number
  /** Of what it is called after; null where it is called after nothing. */
  digest: string | null
  /** Of its tar. */
  diffId: string
}

/** What begins so is compressed so. @see RFC 1952, RFC 8878 */
const kinds = [
  { kind: 'gzip', start: Buffer.from([0x1f, 0x8b]) },
  { kind: 'zstd', start: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
]

/**
 * Puts a layer into a repository, compressed: as it is where it is so already. It streams.
 * @throws RegistryError; what fetch throws, for a tar that is not what it is called after too
 */
export async function putLayer(
  { registry, repository }: ImageTarget,
  { content, size, digest, diffId }: GivenLayer,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { first, whole } = await begun(content)
  const packed = kinds.find(({ start }) => first.subarray(0, start.length).equals(start))
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${packed?.kind ?? 'gzip'}`
  if (packed && digest !== null) {
    await putBlob(registry, { repository, digest }, () => whole, signal)
    return { mediaType, digest, size }
  }
  if (packed) return { mediaType, ...(await uploadBlob(registry, repository, whole, signal)) }
  const gzip = Readable.from(checked(whole, diffId), { objectMode: false }).compose(createGzip())
  return { mediaType, ...(await uploadBlob(registry, repository, gzip as AsyncIterable<Uint8Array>, signal)) }
}

/** Fails at its end, so that an upload of it is never closed. */
async function* checked(content: AsyncIterable<Uint8Array>, digest: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of content) {
    hash.update(chunk)
    yield chunk
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw new Error(`${digest} is something else`)
}

/** Its beginning, and all of it. */
async function begun(
  content: AsyncIterable<Uint8Array>,
): Promise<{ first: Buffer; whole: AsyncGenerator<Uint8Array> }> {
  const chunks = content[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  for (let length = 0; length < 4;) {
    const { done, value } = await chunks.next()
    if (done) break
    held.push(value)
    length += value.length
  }
  const rest = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) }
  const whole = async function* () {
    yield* held
    yield* rest
  }
  return { first: Buffer.concat(held), whole: whole() }
}

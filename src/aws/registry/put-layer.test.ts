import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { digestOf } from './manifests.ts'
import { putLayer } from './put-layer.ts'
import type { Registry } from './registry.ts'

const tar = Buffer.alloc(100_000, 'what lies in a layer ')

/** Has nothing at first, and keeps what is closed by its own digest. */
function emptyRegistry() {
  const blobs = new Map<string, Buffer>()
  let fed = Buffer.alloc(0)
  const registry: Registry = {
    host: 'registry.example',
    ask: async ({ method, path, body }) => {
      if (method === 'PATCH') fed = Buffer.concat(await Array.fromAsync(body as AsyncIterable<Uint8Array>))
      const [, digest] = /digest=(sha256%3A\w+)/.exec(path) ?? []
      if (method === 'PUT') blobs.set(decodeURIComponent(digest!), fed)
      return new Response(null, { headers: { location: '/v2/app/blobs/uploads/1' } })
    },
  }
  return { registry, blobs }
}

/** Its kind shows in no first piece. */
async function* pieces(bytes: Uint8Array) {
  yield bytes.subarray(0, 3)
  yield bytes.subarray(3)
}

const put = async (bytes: Uint8Array, diffId = digestOf(tar)) => {
  const { registry, blobs } = emptyRegistry()
  const layer = { content: pieces(bytes), size: bytes.length, digest: null, diffId }
  const found = await putLayer({ registry, repository: 'app' }, layer, new AbortController().signal)
  const blob = blobs.get(found.digest)!
  assert.equal(digestOf(blob), found.digest)
  assert.equal(blob.length, found.size)
  return { blob, mediaType: found.mediaType }
}

test('a tar is compressed on its way, and what is compressed goes as it is', async () => {
  const packed = await put(tar)
  assert.ok(gunzipSync(packed.blob).equals(tar))
  assert.equal(packed.mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip')
  const gzip = gzipSync(tar)
  assert.ok((await put(gzip)).blob.equals(gzip))
  const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1])
  const asItIs = await put(zstd)
  assert.ok(asItIs.blob.equals(zstd))
  assert.equal(asItIs.mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd')
})

test('a tar that is not what it is called after is never closed', async () => {
  await assert.rejects(put(tar, `sha256:${'0'.repeat(64)}`), /is something else/)
})

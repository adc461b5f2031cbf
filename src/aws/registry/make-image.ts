import { putBlob } from './blobs.ts'
import type { ImageTarget } from './copy-image.ts'
import { layerTar, storedGzip, type LayerEntry } from './layer.ts'
import { digestOf, ociManifest, putManifest, type FoundManifest, type Platform } from './manifests.ts'

/** An image of one layer, on nothing. */
export interface MadeImage {
  platform: Platform
  entries: LayerEntry[]
  entrypoint: string[]
  command: string[]
}

/** Puts an image into a repository; the same one has the same digest, and is put there once. */
export async function makeImage(
  to: ImageTarget,
  image: MadeImage,
  signal: AbortSignal,
): Promise<FoundManifest> {
  const { found, blobs } = madeManifest(image)
  for (const blob of blobs) await putBlob(to.registry, { ...to, digest: digestOf(blob) }, () => blob, signal)
  await putManifest(to.registry, { ...to, found }, signal)
  return found
}

/** What it is called by in a repository. Pure. */
export function imageDigest(image: MadeImage): string {
  return madeManifest(image).found.digest
}

/** Pure: the manifest, and the blobs that it names. */
function madeManifest({ platform, entries, entrypoint, command }: MadeImage): {
  found: FoundManifest
  blobs: Uint8Array[]
} {
  const tar = layerTar(entries)
  const layer = storedGzip(tar)
  const configuration = {
    ...platform,
    created: new Date(0).toISOString(),
    config: { Entrypoint: entrypoint, Cmd: command },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
  }
  const config = Buffer.from(JSON.stringify(configuration))
  const described = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    size: bytes.length,
    digest: digestOf(bytes),
  })
  const manifest = {
    schemaVersion: 2 as const,
    mediaType: ociManifest,
    config: described('application/vnd.oci.image.config.v1+json', config),
    layers: [described('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  return {
    found: { manifest, mediaType: ociManifest, bytes, digest: digestOf(bytes) },
    blobs: [config, layer],
  }
}

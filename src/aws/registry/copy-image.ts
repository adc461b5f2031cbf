import { createSemaphore } from '../../lib/semaphore.ts'
import { together } from '../../lib/together.ts'
import { openBlob, putBlob } from './blobs.ts'
import { hasManifest, putManifest, readManifest, type FoundManifest, type Platform } from './manifests.ts'
import type { Registry } from './registry.ts'

export interface ImageSource {
  registry: Registry
  repository: string
  /** A tag or a digest. */
  reference: string
  platform: Platform
}

export interface ImageTarget {
  registry: Registry
  repository: string
}

/** Layers of one image that are copied at once. */
const layersAtOnce = 3

/** Copies the image of a platform from one registry into another, layer by layer; what is there already stays. */
export async function copyImage(
  from: ImageSource,
  to: ImageTarget,
  signal: AbortSignal,
): Promise<FoundManifest> {
  const found = await readManifest(from.registry, from, signal)
  if (await hasManifest(to.registry, { ...to, digest: found.digest }, signal)) return found
  await copyBlobs(from, to, found, signal)
  await putManifest(to.registry, { ...to, found }, signal)
  return found
}

/** All that a manifest names; safe to repeat. */
export async function copyBlobs(
  from: Pick<ImageSource, 'registry' | 'repository'>,
  to: ImageTarget,
  { manifest: { config, layers } }: Pick<FoundManifest, 'manifest'>,
  signal: AbortSignal,
): Promise<void> {
  const slots = createSemaphore(layersAtOnce)
  const digests = [...new Set([config, ...layers].map(({ digest }) => digest))]
  const tasks = digests.map((digest) => async (own: AbortSignal) => {
    const open = () => openBlob(from.registry, { ...from, digest }, own)
    await slots.run(async () => await putBlob(to.registry, { ...to, digest }, open, own), own)
  })
  await together(signal, tasks)
}

import { createSemaphore } from '../../lib/semaphore.ts'
import { together } from '../../lib/together.ts'
import { openBlob, putBlob, readBlob } from './blobs.ts'
import { hasManifest, putManifest, readManifest, type FoundManifest, type Platform } from './manifests.ts'
import { RegistryError } from './registry-error.ts'
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

/**
 * Copies the image of a platform from one registry into another, layer by layer; what is there already stays.
 * @throws RegistryError where there is none, or one for another platform alone
 */
export async function copyImage(
  from: ImageSource,
  to: ImageTarget,
  signal: AbortSignal,
): Promise<FoundManifest> {
  const found = await readManifest(from.registry, from, signal)
  await refuseOther(from, found, signal)
  if (await hasManifest(to.registry, { ...to, digest: found.digest }, signal)) return found
  await copyBlobs(from, to, found, signal)
  await putManifest(to.registry, { ...to, found }, signal)
  return found
}

/** An image that is no list of such says in its configuration what it is for, where it says it. */
async function refuseOther(
  { registry, repository, platform }: ImageSource,
  { manifest }: FoundManifest,
  signal: AbortSignal,
): Promise<void> {
  const bytes = await readBlob(registry, { repository, digest: manifest.config.digest }, signal)
  const { os = platform.os, architecture = platform.architecture } = JSON.parse(
    new TextDecoder().decode(bytes),
  ) as Partial<Platform>
  if (os === platform.os && architecture === platform.architecture) return
  const wanted = `${platform.os}/${platform.architecture}`
  const what = `it is an image for ${os}/${architecture}, and one for ${wanted} is wanted`
  throw new RegistryError(`${registry.host}/${repository}: ${what}`, 404)
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

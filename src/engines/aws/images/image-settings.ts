import type { Control } from '../../../domain/control.ts'
import { readImageConfig, type ConfiguredImage, type ImageConfig } from '../../../domain/image-config.ts'
import { readBlob } from '../../../aws/registry/blobs.ts'
import { readManifest, type Manifest } from '../../../aws/registry/manifests.ts'
import { placeOf } from '../../../aws/registry/place.ts'
import type { Registry } from '../../../aws/registry/registry.ts'
import type { AwsParts } from '../parts.ts'
import { platform } from '../../../aws/registry/own-images.ts'
import { imageFailure } from './image-failure.ts'

/** What an image of the account says of its process. @throws image-unavailable */
export async function imageSettings(
  { images }: Pick<AwsParts, 'images'>,
  image: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<ConfiguredImage> {
  const { repository, reference } = placeOf(image)
  try {
    const registry = await images.registry(signal)
    const { manifest } = await readManifest(registry, { repository, reference, platform }, signal)
    return await settingsOf(registry, { repository, manifest }, signal)
  } catch (error) {
    throw imageFailure(error, { type: repository, image }, signal)
  }
}

/** What is said by the configuration that a manifest names. */
export async function settingsOf(
  registry: Registry,
  { repository, manifest }: { repository: string; manifest: Manifest },
  signal: AbortSignal,
): Promise<ConfiguredImage> {
  const bytes = await readBlob(registry, { repository, digest: manifest.config.digest }, signal)
  const { config } = JSON.parse(new TextDecoder().decode(bytes)) as { config?: ImageConfig }
  return readImageConfig(config ?? null)
}

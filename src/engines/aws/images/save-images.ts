import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { tarEnd, tarHead, tarPadding } from '../../../lib/tar-blocks.ts'
import { openBlob } from '../../../aws/registry/blobs.ts'
import {
  readManifest,
  type Descriptor,
  type FoundManifest,
  type Manifest,
} from '../../../aws/registry/manifests.ts'
import { placeOf } from '../../../aws/registry/place.ts'
import type { Registry } from '../../../aws/registry/registry.ts'
import { isNotThere } from '../../../aws/registry/registry-error.ts'
import type { AwsParts } from '../parts.ts'
import { platform } from '../../../aws/registry/own-images.ts'
import { imageFailure } from './image-failure.ts'

interface SavedImage extends FoundManifest {
  repository: string
}

/**
 * Images as one tar of the form of `docker save`, in which what they share is once; whoever reads it knows from its beginning
 * what comes. Layers are as the registry has them, which engines unpack by themselves.
 * @throws image-unavailable for one that is gone, before the first byte
 * @see https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
 */
export async function saveImages(
  { images }: Pick<AwsParts, 'images'>,
  { references, out }: { references: string[]; out: (chunk: Uint8Array) => Promise<void> },
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const registry = await images.registry(signal)
  const saved: SavedImage[] = []
  for (const image of new Set(references)) saved.push(await find(registry, image, signal))
  if (saved.length === 0) return
  for await (const chunk of archive(registry, saved, signal)) await out(chunk)
}

async function find(registry: Registry, image: string, signal: AbortSignal): Promise<SavedImage> {
  const { host, repository, reference } = placeOf(image)
  try {
    if (host !== registry.host) throw gone(image)
    return {
      repository,
      ...(await readManifest(registry, { repository, reference, platform }, signal)),
    }
  } catch (error) {
    if (isNotThere(error)) throw gone(image, error)
    throw imageFailure(error, { type: repository, image }, signal)
  }
}

function gone(image: string, cause?: unknown): RackError {
  return new RackError('image-unavailable', `the image ${image} is not here any more`, {
    hint: 'Build the app again: rack deploy; or leave images out: --no-images',
    cause,
  })
}

async function* archive(
  registry: Registry,
  saved: SavedImage[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const images = new Map(
    saved.map(({ manifest, repository }) => [manifest.config.digest, { manifest, repository }]),
  )
  const listed = [...images.values()].map(({ manifest: { config, layers } }) => ({
    Config: blobName(config.digest),
    RepoTags: null,
    Layers: layers.map(({ digest }) => blobName(digest)),
  }))
  yield* file('manifest.json', Buffer.from(JSON.stringify(listed)))
  const blobs = (read: (manifest: Manifest) => Descriptor[]) =>
    [...images.values()].flatMap(({ manifest, repository }) =>
      read(manifest).map((blob) => ({ ...blob, repository })),
    )
  const written = new Set<string>()
  for (const { digest, size, repository } of [
    ...blobs(({ config }) => [config]),
    ...blobs(({ layers }) => layers),
  ]) {
    if (written.has(digest)) continue
    written.add(digest)
    yield headOf(blobName(digest), size)
    yield* openBlob(registry, { repository, digest }, signal)
    yield tarPadding(size)
  }
  yield tarEnd()
}

function* file(name: string, content: Uint8Array): Generator<Uint8Array> {
  yield headOf(name, content.length)
  yield content
  yield tarPadding(content.length)
}

function headOf(name: string, size: number): Uint8Array {
  return tarHead({ name, type: 'file', mode: 0o644, size, modified: new Date(0) })
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

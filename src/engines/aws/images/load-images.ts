import { posix } from 'node:path'
import type { Control } from '../../../domain/control.ts'
import type { NamedImage, SavedImages } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { readTar } from '../../../lib/tar.ts'
import { putBlob } from '../../../aws/registry/blobs.ts'
import { digestOf, ociManifest, putManifest, type Descriptor } from '../../../aws/registry/manifests.ts'
import { nameOf, placeOf } from '../../../aws/registry/place.ts'
import { putLayer } from '../../../aws/registry/put-layer.ts'
import type { Registry } from '../../../aws/registry/registry.ts'
import { RegistryError } from '../../../aws/registry/registry-error.ts'
import { imagesOwner, repositoryName } from '../names.ts'
import { notThere } from '../not-there.ts'
import type { AwsParts } from '../parts.ts'
import { readSaved, unreadable, type SavedImage } from './read-saved.ts'
import { ensureRepository } from './repository.ts'

type Layers = ReadonlyMap<string, Descriptor>

/**
 * Puts images into the repository of an app, with manifests of its own: each is called by what is in it there. The tar is read
 * twice, since older engines say at its end what it holds.
 * @returns what each is called, by the reference that it had
 * @throws invalid for what is no such archive, or has one of them not; unsupported
 */
export async function loadImages(
  parts: AwsParts,
  { open, of }: SavedImages,
  { signal }: Pick<Control, 'signal'>,
): Promise<Map<string, string>> {
  if (of === null) throw notThere('take images in', 'it has no backup as a whole')
  const { app, images } = of
  const registry = await parts.images.registry(signal)
  const repository = repositoryName(parts.rack, imagesOwner(app))
  try {
    const saved = await readSaved(heeding(open(), signal), new Set(images.map(({ digest }) => digest)))
    await ensureRepository(parts, repository, { signal })
    const to = { registry, repository }
    const layers = await putLayers(to, { open, saved: [...saved.values()] }, signal)
    const called = new Map<string, string>()
    for (const [digest, image] of saved) called.set(digest, await putImage(to, image, layers, signal))
    return new Map(images.map(({ reference, digest }) => [reference, called.get(digest)!]))
  } catch (error) {
    if (signal.aborted || error instanceof RackError) throw error
    const isBroken = !(error instanceof RegistryError) || error.status === 400
    if (isBroken) throw unreadable('they cannot be read to their end', error)
    throw new RackError('engine-failed', `images cannot be put in: ${error.message}`, { cause: error })
  }
}

/** One of the app's own, or by what is in it, which is no name of a registry. */
export function calledHere(
  { rack }: Pick<AwsParts, 'rack'>,
  app: string,
  { reference, digest }: NamedImage,
): string {
  const { host, repository, reference: manifest } = placeOf(reference)
  const isOwn = repository === repositoryName(rack, imagesOwner(app)) && manifest.startsWith('sha256:')
  return isOwn ? nameOf({ host, repository }, manifest) : digest
}

interface Target {
  registry: Registry
  repository: string
}

/** By the file in which each is. */
async function putLayers(
  to: Target,
  { open, saved }: { open: SavedImages['open']; saved: SavedImage[] },
  signal: AbortSignal,
): Promise<Layers> {
  const wanted = new Map(saved.flatMap(({ layers }) => layers.map(({ path, diffId }) => [path, diffId])))
  const put = new Map<string, Descriptor>()
  for await (const { header, content } of readTar(heeding(open(), signal))) {
    const path = posix.normalize(header.name)
    const diffId = wanted.get(path)
    if (diffId === undefined || put.has(path) || header.type !== 'file') continue
    const [, sum] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path) ?? []
    const layer = {
      content,
      diffId,
      digest: sum === undefined ? null : `sha256:${sum}`,
      size: header.size ?? 0,
    }
    put.set(path, await putLayer(to, layer, signal))
    if (put.size === wanted.size) break
  }
  return put
}

async function putImage(
  { registry, repository }: Target,
  { config, layers }: SavedImage,
  put: Layers,
  signal: AbortSignal,
): Promise<string> {
  const described = layers.map(({ path, diffId }) => {
    const layer = put.get(path)
    if (!layer) throw unreadable(`${diffId} is not among them`)
    return layer
  })
  const digest = digestOf(config)
  await putBlob(registry, { repository, digest }, () => config, signal)
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length },
    layers: described,
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const found = { bytes, digest: digestOf(bytes), mediaType: ociManifest }
  await putManifest(registry, { repository, found }, signal)
  return nameOf({ host: registry.host, repository }, found.digest)
}

async function* heeding(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    signal.throwIfAborted()
    yield chunk
  }
}

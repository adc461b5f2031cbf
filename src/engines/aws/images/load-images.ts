import { buffer } from 'node:stream/consumers'
import type { Control } from '../../../domain/control.ts'
import type { SavedImages } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { readTar } from '../../../lib/tar.ts'
import { openBlob, putBlob } from '../../../aws/registry/blobs.ts'
import { digestOf, putManifest, type Manifest } from '../../../aws/registry/manifests.ts'
import { placeOf } from '../../../aws/registry/place.ts'
import type { Registry } from '../../../aws/registry/registry.ts'
import { RegistryError } from '../../../aws/registry/registry-error.ts'
import { ensureRepository } from './repository.ts'
import type { AwsParts } from '../parts.ts'
import { referenceAnnotation, type ArchiveIndex } from './save-images.ts'

/** Of a file that says what others are; as registries take at most. */
const mostBytes = 4 * 2 ** 20

interface Loading {
  registry: Registry
  /** By digest of a manifest, what it is and whose. */
  wanted: Map<string, { mediaType: string; repositories: Set<string> }>
  manifests: Map<string, Uint8Array>
  /** By digest, repositories that lack it. */
  missing: Map<string, Set<string>>
}

/**
 * Puts images in by the references that they had: a stranger's are those that are asked for, and no others.
 * @throws invalid for what is no such archive, has one of them not, or is another account's
 */
export async function loadImages(
  parts: AwsParts,
  { content, references }: SavedImages,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const registry = await parts.images.registry(signal)
  const loading: Loading = { registry, wanted: new Map(), manifests: new Map(), missing: new Map() }
  try {
    for await (const { header, content: bytes } of readTar(content)) {
      signal.throwIfAborted()
      const { name, size } = header
      if (name === 'index.json') await want(parts, loading, await whole(bytes, size), { references, signal })
      else await takeBlob(loading, { name, size, bytes }, signal)
    }
  } catch (error) {
    if (signal.aborted || error instanceof RackError) throw error
    const isBroken = !(error instanceof RegistryError) || error.status === 400
    if (isBroken) throw unreadable('they cannot be read to their end', error)
    throw new RackError('engine-failed', `images cannot be put in: ${error.message}`, { cause: error })
  }
  if (loading.wanted.size === 0) throw unreadable('there is no index')
  for (const [digest, { mediaType, repositories }] of loading.wanted) {
    const bytes = loading.manifests.get(digest)
    if (!bytes || lacks(loading, bytes)) throw unreadable(`${digest} is not whole`)
    for (const repository of repositories)
      await putManifest(registry, { repository, found: { bytes, digest, mediaType } }, signal)
  }
}

function lacks({ missing }: Loading, bytes: Uint8Array): boolean {
  return blobsOf(bytes).some((digest) => missing.has(digest))
}

async function want(
  parts: AwsParts,
  { registry, wanted }: Loading,
  bytes: Uint8Array,
  { references, signal }: Pick<SavedImages, 'references'> & { signal: AbortSignal },
): Promise<void> {
  const { manifests } = JSON.parse(new TextDecoder().decode(bytes)) as ArchiveIndex
  const missing = new Set(references ?? [])
  for (const { digest, mediaType, annotations } of manifests) {
    const image = annotations?.[referenceAnnotation] ?? ''
    if (references !== null && !missing.delete(image)) continue
    const { host, repository, reference } = placeOf(image)
    if (host !== registry.host) throw unreadable(`${image} is an image of another account`)
    if (reference !== digest) throw unreadable(`${image} is another image than it says`)
    await ensureRepository(parts, repository, { signal })
    const known = wanted.get(digest) ?? { mediaType, repositories: new Set<string>() }
    wanted.set(digest, known)
    known.repositories.add(repository)
  }
  for (const reference of missing) throw unreadable(`${reference} is not among them`)
}

interface BlobEntry {
  name: string
  size: number | undefined
  bytes: AsyncIterable<Uint8Array>
}

async function takeBlob(
  { registry, wanted, manifests, missing }: Loading,
  { name, size, bytes }: BlobEntry,
  signal: AbortSignal,
): Promise<void> {
  const [, sum] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name) ?? []
  const digest = `sha256:${sum}`
  const own = wanted.get(digest)
  if (own) {
    const manifest = await whole(bytes, size)
    if (digestOf(manifest) !== digest) throw unreadable(`${digest} is something else`)
    manifests.set(digest, manifest)
    for (const blob of blobsOf(manifest)) {
      missing.set(blob, (missing.get(blob) ?? new Set()).union(own.repositories))
    }
    return
  }
  const [first, ...others] = missing.get(digest) ?? []
  if (first === undefined) return
  await putBlob(registry, { repository: first, digest }, () => bytes, signal)
  for (const repository of others) {
    const copy = () => openBlob(registry, { repository: first, digest }, signal)
    await putBlob(registry, { repository, digest }, copy, signal)
  }
  missing.delete(digest)
}

function blobsOf(manifest: Uint8Array): string[] {
  const { config, layers } = JSON.parse(new TextDecoder().decode(manifest)) as Manifest
  return [config, ...layers].map(({ digest }) => digest)
}

async function whole(bytes: AsyncIterable<Uint8Array>, size = 0): Promise<Uint8Array> {
  if (size > mostBytes) throw unreadable(`a file that says what others are has ${size} bytes`)
  return await buffer(bytes)
}

function unreadable(why: string, cause?: unknown): RackError {
  return new RackError('invalid', `the images of the archive cannot be taken in: ${why}`, { cause })
}

import { createHash } from 'node:crypto'
import type { Registry } from './registry.ts'
import { isNotThere, RegistryError } from './registry-error.ts'

export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  urls?: string[]
  platform?: { os: string; architecture: string; variant?: string }
}

/** The manifest of an image of one platform. */
export interface Manifest {
  schemaVersion: 2
  mediaType?: string
  config: Descriptor
  layers: Descriptor[]
}

interface Index {
  manifests: Descriptor[]
}

export interface Platform {
  os: string
  architecture: string
}

/** A manifest with the bytes by which it is known. */
export interface FoundManifest {
  manifest: Manifest
  mediaType: string
  bytes: Uint8Array
  digest: string
}

export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json'
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const listTypes = [
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
]
const accepted = [dockerManifest, ociManifest, ...listTypes].join(', ')
/** As registries take at most. */
const mostBytes = 4 * 2 ** 20

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/**
 * The manifest of a platform's image; of an index, the one that it names for the platform.
 * @throws RegistryError where there is none
 */
export async function readManifest(
  registry: Registry,
  { repository, reference, platform }: { repository: string; reference: string; platform: Platform },
  signal: AbortSignal,
): Promise<FoundManifest> {
  const request = { path: `${repository}/manifests/${reference}`, repository, access: 'pull' as const }
  const response = await registry.ask({ ...request, headers: { accept: accepted } }, signal)
  const bytes = await readUpTo(response, mostBytes)
  const digest = digestOf(bytes)
  if (reference.startsWith('sha256:') && reference !== digest) {
    throw new RegistryError(`${registry.host}/${repository}: it gave another manifest than ${reference}`, 502)
  }
  const mediaType = (response.headers.get('content-type') ?? '').split(';')[0]!.trim()
  const parsed = JSON.parse(new TextDecoder().decode(bytes)) as Manifest | Index
  if (!('manifests' in parsed)) {
    if (!('layers' in parsed) || !('config' in parsed))
      throw new RegistryError(
        `${registry.host}/${repository}: its manifest is of a kind that is not known`,
        415,
      )
    return { manifest: parsed, mediaType, bytes, digest }
  }
  const own = parsed.manifests.find((one) => isOf(one, platform))
  if (!own) {
    const wanted = `${platform.os}/${platform.architecture}`
    throw new RegistryError(`${registry.host}/${repository}: no image for ${wanted} is among its images`, 404)
  }
  return await readManifest(registry, { repository, reference: own.digest, platform }, signal)
}

function isOf({ platform, mediaType }: Descriptor, wanted: Platform): boolean {
  return (
    platform?.os === wanted.os &&
    platform.architecture === wanted.architecture &&
    !listTypes.includes(mediaType)
  )
}

export async function hasManifest(
  registry: Registry,
  { repository, digest }: { repository: string; digest: string },
  signal: AbortSignal,
): Promise<boolean> {
  const request = { path: `${repository}/manifests/${digest}`, repository, access: 'pull' as const }
  try {
    await registry.ask({ ...request, method: 'HEAD', headers: { accept: accepted } }, signal)
    return true
  } catch (error) {
    if (isNotThere(error)) return false
    throw error
  }
}

/** Puts a manifest under its digest, whose blobs are there; safe to repeat. */
export async function putManifest(
  registry: Registry,
  { repository, found }: { repository: string; found: Pick<FoundManifest, 'bytes' | 'digest' | 'mediaType'> },
  signal: AbortSignal,
): Promise<void> {
  const { bytes, digest, mediaType } = found
  await registry.ask(
    {
      method: 'PUT',
      path: `${repository}/manifests/${digest}`,
      repository,
      access: 'pull,push',
      headers: { 'content-type': mediaType },
      body: bytes,
    },
    signal,
  )
}

export async function readUpTo(response: Response, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > most) throw new RegistryError(`an answer has more than ${most} bytes`, 502)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

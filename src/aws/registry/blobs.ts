import { createHash } from 'node:crypto'
import { digestOf, readUpTo } from './manifests.ts'
import type { Registry } from './registry.ts'
import { isNotThere, RegistryError } from './registry-error.ts'

export interface BlobPlace {
  repository: string
  digest: string
}

async function hasBlob(
  registry: Registry,
  { repository, digest }: BlobPlace,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `${repository}/blobs/${digest}`
  try {
    await registry.ask({ method: 'HEAD', path, repository, access: 'pull' }, signal)
    return true
  } catch (error) {
    if (isNotThere(error)) return false
    throw error
  }
}

/** What is in a blob, as it comes. @throws RegistryError at its end, where it is not what its digest says */
export async function* openBlob(
  registry: Registry,
  { repository, digest }: BlobPlace,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const response = await registry.ask(
    { path: `${repository}/blobs/${digest}`, repository, access: 'pull' },
    signal,
  )
  const hash = createHash('sha256')
  for await (const chunk of response.body ?? []) {
    hash.update(chunk)
    yield chunk
  }
  if (`sha256:${hash.digest('hex')}` !== digest)
    throw new RegistryError(`${registry.host}/${repository}: it gave another blob than ${digest}`, 502)
}

/** A small blob as a whole. */
export async function readBlob(
  registry: Registry,
  { repository, digest }: BlobPlace,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const path = `${repository}/blobs/${digest}`
  const bytes = await readUpTo(await registry.ask({ path, repository, access: 'pull' }, signal), 16 * 2 ** 20)
  if (digestOf(bytes) !== digest)
    throw new RegistryError(`${registry.host}/${repository}: it gave another blob than ${digest}`, 502)
  return bytes
}

/** Puts a blob where it is missing, as Docker does: an upload begun, fed and closed. True where it was missing. */
export async function putBlob(
  registry: Registry,
  { repository, digest }: BlobPlace,
  open: () => Uint8Array | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<boolean> {
  if (await hasBlob(registry, { repository, digest }, signal)) return false
  const upload = await beginUpload(registry, repository, open(), signal)
  await upload.close(digest)
  return true
}

/** Puts a blob of which nobody knows yet what it is. @returns what it is */
export async function uploadBlob(
  registry: Registry,
  repository: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  const measured = async function* () {
    for await (const chunk of content) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  const upload = await beginUpload(registry, repository, measured(), signal)
  const digest = `sha256:${hash.digest('hex')}`
  await upload.close(digest)
  return { digest, size }
}

/** An upload that has been fed; one that nobody closes is forgotten by its registry. */
async function beginUpload(
  registry: Registry,
  repository: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ close: (digest: string) => Promise<unknown> }> {
  const push = { repository, access: 'pull,push' as const }
  const path = `${repository}/blobs/uploads/`
  const begun = await registry.ask({ ...push, method: 'POST', path, accepts: [202] }, signal)
  const type = { 'content-type': 'application/octet-stream' }
  // The specification says 202; ECR says 201 (D).
  const fed = await registry.ask(
    { ...push, method: 'PATCH', path: locationOf(begun), headers: type, body, accepts: [201, 202, 204] },
    signal,
  )
  const last = new URL(locationOf(fed), 'http://nowhere')
  const close = async (digest: string) => {
    last.searchParams.set('digest', digest)
    const end = last.host === 'nowhere' ? `${last.pathname}${last.search}` : last.href
    return await registry.ask({ ...push, method: 'PUT', path: end, accepts: [201, 204] }, signal)
  }
  return { close }
}

function locationOf(response: Response): string {
  const found = response.headers.get('location')
  if (found === null) throw new RegistryError('an upload has no place', 502)
  return found
}

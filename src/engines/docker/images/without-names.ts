import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { RackError } from '../../../domain/error.ts'
import { bytesUpTo } from '../../../lib/bytes-up-to.ts'
import { readTar, writeTar, type TarEntry } from '../../../lib/tar.ts'

/** Of a file that says what the tar holds. */
const mostBytes = 16 * 2 ** 20

/**
 * A tar of saved images in which none has a name, whatever it was: in `manifest.json`, in `repositories` of older engines,
 * and in annotations of `index.json`. Streams: layers are not held.
 * @param digests of images that it holds
 * @throws invalid for what is none, what has one of them not, or what leads an engine to read another file than the one that is
 * looked at
 */
export async function* withoutNames(
  source: AsyncIterable<Uint8Array>,
  digests: readonly string[],
): AsyncGenerator<Uint8Array> {
  try {
    yield* writeTar(whole(nameless(readTar(source)), digests))
  } catch (cause) {
    throw cause instanceof RackError ? cause : unreadable('they cannot be read to their end', cause)
  }
}

/** Only who has what an image is called after has the image: by its name alone another's could be had. */
async function* whole(
  entries: AsyncIterable<TarEntry>,
  digests: readonly string[],
): AsyncGenerator<TarEntry> {
  const missing = new Set(digests)
  for await (const { header, content } of entries) {
    const sum = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(header.name)?.[1]
    const digest = `sha256:${sum}`
    if (!missing.has(digest)) yield { header, content }
    else yield { header, content: summed(content, (found) => found === sum && missing.delete(digest)) }
  }
  for (const digest of missing) throw unreadable(`${digest} is not among them`)
}

async function* summed(
  content: AsyncIterable<Uint8Array>,
  onEnd: (sum: string) => unknown,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of content) {
    hash.update(chunk)
    yield chunk
  }
  onEnd(hash.digest('hex'))
}

async function* nameless(entries: AsyncIterable<TarEntry>): AsyncGenerator<TarEntry> {
  for await (const { header, content } of entries) {
    const name = posix.normalize(header.name).replace(/^\/+/, '')
    const entry = { header: { ...header, name, pax: null }, content }
    if (name === 'repositories') continue
    if (name !== 'manifest.json' && name !== 'index.json') {
      if (!isPlain(entry)) throw unreadable(`${JSON.stringify(name)} is no file of theirs`)
      yield entry
      continue
    }
    if (header.type !== 'file') throw unreadable(`${name} is no file`)
    const text = Buffer.from(JSON.stringify(await readNameless(name, content)))
    yield { header: { ...entry.header, size: text.length }, content: piece(text) }
  }
}

/** Older engines have a layer once, and lead there from the others that share it. */
function isPlain({ header: { type, name, linkname } }: TarEntry): boolean {
  if (type === 'symlink')
    return /^[0-9a-f]{64}\/layer\.tar$/.test(name) && /^\.\.\/[0-9a-f]{64}\/layer\.tar$/.test(linkname ?? '')
  return (type === 'file' || type === 'directory') && name.split('/')[0] !== '..'
}

async function readNameless(name: string, content: AsyncIterable<Uint8Array>): Promise<unknown> {
  const value = parse(name, await bytesUpTo(content, mostBytes))
  // Engines read keys in any case, so what is not known to be no name stays out.
  if (name === 'manifest.json') {
    return listOf(name, value).map((image) => {
      return {
        ...picked(objectOf(name, image), ['Config', 'Layers', 'Parent', 'LayerSources']),
        RepoTags: null,
      }
    })
  }
  const index = objectOf(name, value)
  const manifests = listOf(name, index['manifests']).map((image) => {
    return picked(objectOf(name, image), ['mediaType', 'digest', 'size', 'platform', 'artifactType'])
  })
  return { ...picked(index, ['schemaVersion', 'mediaType']), manifests }
}

function picked(value: Record<string, unknown>, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(value, key) ? [[key, value[key]]] : [])))
}

function listOf(name: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  throw unreadable(`${name} does not list them`)
}

function parse(name: string, bytes: Buffer | null): unknown {
  if (bytes === null) throw unreadable(`${name} is larger than ${mostBytes / 2 ** 20} MiB`)
  try {
    return JSON.parse(bytes.toString())
  } catch (cause) {
    throw unreadable(`${name} cannot be read`, cause)
  }
}

function objectOf(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw unreadable(`${name} does not say what they are`)
}

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function unreadable(why: string, cause?: unknown): RackError {
  return new RackError('invalid', `the images cannot be used: ${why}`, { cause })
}

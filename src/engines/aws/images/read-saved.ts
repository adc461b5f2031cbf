import { posix } from 'node:path'
import { RackError } from '../../../domain/error.ts'
import { bytesUpTo } from '../../../lib/bytes-up-to.ts'
import { readTar } from '../../../lib/tar.ts'
import { digestOf } from '../../../aws/registry/manifests.ts'
import { platform } from '../../../aws/registry/own-images.ts'

/** Of a file that says what others are; as registries take at most. */
const mostBytes = 4 * 2 ** 20

/** An image of a tar of `docker save`. */
export interface SavedImage {
  config: Uint8Array
  /** In order, each with the file in which it is and the digest of its tar. */
  layers: { path: string; diffId: string }[]
}

/**
 * Finds images in a tar of `docker save`, of older and newer engines: what they are stands in `manifest.json`, wherever that is.
 * @param digests what they are called after: of their configurations
 * @throws invalid for what is none, or has one of them not; unsupported for another machine
 * @see https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
 */
export async function readSaved(
  saved: AsyncIterable<Uint8Array>,
  digests: ReadonlySet<string>,
): Promise<Map<string, SavedImage>> {
  const configs = new Map<string, Uint8Array>()
  const links = new Map<string, string>()
  let listed: Listed[] | null = null
  for await (const { header, content } of readTar(saved)) {
    const path = posix.normalize(header.name)
    if (header.type === 'symlink') links.set(path, posix.join(posix.dirname(path), header.linkname ?? ''))
    else if (path === 'manifest.json') listed = readList(await whole(path, content))
    else if (digests.has(`sha256:${sumIn(path)}`)) configs.set(path, await whole(path, content))
    // What one of this engine's own begins with; links of older engines stand before it.
    if (listed !== null && configs.size === digests.size) break
  }
  if (listed === null) throw unreadable('manifest.json is not among them')
  const found = new Map<string, SavedImage>()
  for (const { Config, Layers } of listed) {
    const config = configs.get(posix.normalize(Config))
    if (!config) continue
    const digest = `sha256:${sumIn(Config)}`
    if (digestOf(config) !== digest) throw unreadable(`${digest} is something else`)
    const diffIds = readConfig(config, digest)
    if (diffIds.length !== Layers.length) throw unreadable(`${digest} has other layers than it says`)
    const pathOf = (layer: string) => links.get(posix.normalize(layer)) ?? posix.normalize(layer)
    const layers = Layers.map((layer, at) => ({ path: pathOf(layer), diffId: diffIds[at]! }))
    found.set(digest, { config, layers })
  }
  for (const digest of digests) if (!found.has(digest)) throw unreadable(`${digest} is not among them`)
  return found
}

interface Listed {
  Config: string
  Layers: string[]
}

function readList(bytes: Uint8Array): Listed[] {
  const list = parse('manifest.json', bytes)
  if (!Array.isArray(list)) throw unreadable('manifest.json does not list them')
  return list.map((each: unknown) => {
    const { Config, Layers } = (each ?? {}) as Record<string, unknown>
    if (typeof Config !== 'string' || !isTexts(Layers))
      throw unreadable('manifest.json does not say what they are')
    return { Config, Layers }
  })
}

/** Digests of its layers, from the first. */
function readConfig(bytes: Uint8Array, digest: string): string[] {
  const { os, architecture, rootfs } = (parse(digest, bytes) ?? {}) as Record<string, unknown>
  const kind = `${String(os)}/${String(architecture)}`
  const own = `${platform.os}/${platform.architecture}`
  if (kind !== own)
    throw new RackError('unsupported', `an image of the archive is for ${kind}, and this rack runs ${own}`, {
      hint: 'Export the app without images (rack apps export --no-images), import that, and have it built here: rack builds rebuild',
      details: { image: digest },
    })
  const { diff_ids: diffIds } = (rootfs ?? {}) as Record<string, unknown>
  if (!isTexts(diffIds)) throw unreadable(`${digest} names no layers`)
  return diffIds
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

/** Of a file that is called after what is in it. */
function sumIn(path: string): string | undefined {
  return /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1]
}

async function whole(path: string, content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes = await bytesUpTo(content, mostBytes)
  if (bytes === null) throw unreadable(`${path} is larger than ${mostBytes / 2 ** 20} MiB`)
  return bytes
}

function parse(what: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw unreadable(`${what} cannot be read`, cause)
  }
}

export function unreadable(why: string, cause?: unknown): RackError {
  return new RackError('invalid', `the images of the archive cannot be taken in: ${why}`, { cause })
}

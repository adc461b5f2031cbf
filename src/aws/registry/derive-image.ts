import { posix } from 'node:path'
import { putBlob, readBlob } from './blobs.ts'
import { copyBlobs, type ImageSource, type ImageTarget } from './copy-image.ts'
import { PathInTheWay, realDirectory, type ImageTree } from './image-tree.ts'
import { layerTar, storedGzip, type LayerEntry } from './layer.ts'
import {
  digestOf,
  hasManifest,
  ociManifest,
  putManifest,
  readManifest,
  type FoundManifest,
} from './manifests.ts'
import { readTree } from './read-tree.ts'

/** A file that an image is to hold, or a link in its place. */
export interface LaidFile {
  /** Absolute. */
  path: string
  mode: number
  uid: number
  gid: number
  what: { content: Uint8Array } | { link: string }
}

export interface Derivation {
  files: LaidFile[]
  /** As `SIGINT`; null leaves the image's own. */
  stopSignal: string | null
}

/** What of an image says how it is run. */
export interface Settings {
  StopSignal?: string
  Entrypoint?: string[]
  Cmd?: string[]
  User?: string
  WorkingDir?: string
}

/** What is read and changed of the configuration of an image. */
interface Configuration {
  config?: Settings
  rootfs: { diff_ids: string[] }
  history?: object[]
}

/**
 * Puts an image into a repository that is another one with files of its own and a stop signal: one more layer, and a
 * changed configuration. The same derivation of the same image has the same digest, and is put there once.
 * @throws PathInTheWay where something of the image is in the place of a file
 */
export async function deriveImage(
  from: ImageSource,
  to: ImageTarget,
  derivation: Derivation,
  signal: AbortSignal,
): Promise<FoundManifest> {
  const base = await readManifest(from.registry, from, signal)
  const blob = { repository: from.repository, digest: base.manifest.config.digest }
  const configuration = await readBlob(from.registry, blob, signal)
  const layer = await layerOf(from, base, derivation, signal)
  const { stopSignal } = derivation
  const settings = stopSignal === null ? null : { StopSignal: stopSignal }
  return await putDerived(
    from,
    to,
    { base, ...derivedManifest(base, configuration, layer, settings) },
    signal,
  )
}

export interface Derived {
  base: FoundManifest
  found: FoundManifest
  blobs: Uint8Array[]
}

/** Puts a derived image beside all that it stands on; one that is there already costs a question. */
export async function putDerived(
  from: ImageSource,
  to: ImageTarget,
  { base, found, blobs }: Derived,
  signal: AbortSignal,
): Promise<FoundManifest> {
  if (await hasManifest(to.registry, { ...to, digest: found.digest }, signal)) return found
  await copyBlobs(from, to, base, signal)
  for (const own of blobs) await putBlob(to.registry, { ...to, digest: digestOf(own) }, () => own, signal)
  await putManifest(to.registry, { ...to, found }, signal)
  return found
}

async function layerOf(
  from: ImageSource,
  { manifest }: FoundManifest,
  { files }: Derivation,
  signal: AbortSignal,
): Promise<Buffer | null> {
  if (files.length === 0) return null
  const paths = files.map(({ path }) => path)
  const tree = await readTree(from.registry, { repository: from.repository, manifest, paths }, signal)
  return layerTar(layerEntries(tree, files))
}

/** Files at their true places, and the directories on the way as the image has them; those that are missing are root's. */
export function layerEntries(tree: ImageTree, files: LaidFile[]): LayerEntry[] {
  const entries = new Map<string, LayerEntry>()
  for (const { path, mode, uid, gid, what } of files) {
    const directory = realDirectory(tree, posix.dirname(path))
    const place = posix.join(directory, posix.basename(path))
    if (tree.at(place)?.type === 'directory')
      throw new PathInTheWay(path, `${place} is a directory of the image`)
    for (const one of directoriesOf(directory)) entries.set(one, directoryEntry(tree, one))
    const head = { path: place, mode, uid, gid }
    if ('link' in what) entries.set(place, { ...head, mode: 0o777, type: 'symlink', target: what.link })
    else entries.set(place, { ...head, type: 'file', content: what.content })
  }
  return [...entries.values()]
}

function directoriesOf(path: string): string[] {
  return path === '/' ? [] : [...directoriesOf(posix.dirname(path)), path]
}

function directoryEntry(tree: ImageTree, path: string): LayerEntry {
  const { mode, uid, gid, modified } = tree.at(path) ?? { mode: 0o755, uid: 0, gid: 0, modified: new Date(0) }
  return { type: 'directory', path, mode, uid, gid, modified }
}

/** Pure: the manifest of the image with its new layer, and the blobs that it names beside those of its base. */
export function derivedManifest(
  base: Pick<FoundManifest, 'manifest' | 'mediaType'>,
  configuration: Uint8Array,
  tar: Uint8Array | null,
  settings: Settings | null,
): { found: FoundManifest; blobs: Uint8Array[] } {
  const { manifest, mediaType } = base
  const given = JSON.parse(new TextDecoder().decode(configuration)) as Configuration
  const step = { created: new Date(0).toISOString(), created_by: 'rack', ...(!tar && { empty_layer: true }) }
  const changed: Configuration = {
    ...given,
    ...(settings && { config: { ...given.config, ...settings } }),
    rootfs: { ...given.rootfs, diff_ids: [...given.rootfs.diff_ids, ...(tar ? [digestOf(tar)] : [])] },
    // Of an image that has none, a history of its last step alone would be wrong.
    ...(given.history && { history: [...given.history, step] }),
  }
  const config = Buffer.from(JSON.stringify(changed))
  const layer = tar && storedGzip(tar)
  const isOci = mediaType === ociManifest
  const layerType = isOci
    ? 'application/vnd.oci.image.layer.v1.tar+gzip'
    : 'application/vnd.docker.image.rootfs.diff.tar.gzip'
  const described = (type: string, bytes: Uint8Array) => ({
    mediaType: type,
    size: bytes.length,
    digest: digestOf(bytes),
  })
  const derived = {
    ...manifest,
    config: described(manifest.config.mediaType, config),
    layers: [...manifest.layers, ...(layer ? [described(layerType, layer)] : [])],
  }
  const bytes = Buffer.from(JSON.stringify(derived))
  const found = { manifest: derived, mediaType, bytes, digest: digestOf(bytes) }
  return { found, blobs: [config, ...(layer ? [layer] : [])] }
}

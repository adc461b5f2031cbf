import { bindsOf } from '../domain/binds.ts'
import type { Control } from '../domain/control.ts'
import { maskText, type Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import type { Manifest, ManifestSource, PlaceKind, SourcePlace } from '../domain/manifest.ts'
import { appOwner } from '../domain/owner.ts'
import { filesOf } from '../manifest/files.ts'
import { volumeNameOf } from '../manifest/keys/mounts/relative-bind.ts'
import type { Context } from './context.ts'
import { noContent, readSourceContent, type SourceContent } from './source-content.ts'

/** An upload of which relative bind mounts may take something. */
export interface BoundUpload {
  app: string
  environment: Environment
  manifest: ManifestSource
  /** A fresh stream of the source directory each time that it is called. */
  source: () => AsyncIterable<Uint8Array>
}

/** The texts of a manifest with all that its relative bind mounts ask of the source, and the content that they take. */
export interface BoundSource {
  manifest: ManifestSource
  content: SourceContent
}

/**
 * Looks at what the source has at the paths of relative bind mounts: as whoever sent it says, since what is left out of
 * an upload cannot be seen in it.
 * @throws conflict for a path that a variable of the app names and the upload does not hold
 */
export async function readBoundSource(
  { engine }: Context,
  { app, environment, manifest, source }: BoundUpload,
  control: Control,
): Promise<BoundSource> {
  const named = filesOf(manifest, environment)
  if (named.binds.length === 0) return { manifest: { ...manifest, places: {} }, content: noContent }
  const content = await readSourceContent(source, named, control.signal)
  const volumes = await engine.volumes({ owner: appOwner(app) }, control)
  const names = new Set(volumes.map(({ name }) => name))
  const places = named.binds.map((path): [string, SourcePlace] => {
    const holds = placeOf(path, manifest.places, content, environment)
    return [path, { holds, ...(names.has(volumeNameOf(path)) && { isVolume: true }) }]
  })
  return { manifest: { ...manifest, places: Object.fromEntries(places) }, content }
}

function placeOf(
  path: string,
  told: ManifestSource['places'],
  content: SourceContent,
  environment: Environment,
): PlaceKind {
  const found = content.placeOf(path)
  if (told === undefined) return found
  const holds = Object.hasOwn(told, path) ? told[path]?.holds : undefined
  const isThere = found === 'file' || found === 'folder'
  if (isThere || (holds !== undefined && holds !== 'file' && holds !== 'folder')) return holds ?? found
  const name = maskText(path, environment)
  throw new RackError(
    'conflict',
    `the upload does not hold ${name}, which a bind mount of the compose file names`,
    {
      hint: "When a variable of the app's environment names it, give that variable its value in .env too, and deploy again.",
    },
  )
}

/** What became of each relative bind mount, in words. */
export function bindLines({ processes }: Manifest, environment: Environment): string[] {
  const lines = processes.flatMap(({ name, mounts }) =>
    bindsOf(mounts).map(({ path, source, as }) =>
      as === 'release'
        ? `${name}: ${path} is ${source} of this release`
        : `${name}: ${path} is the volume ${volumeNameOf(source)}, which outlives releases`,
    ),
  )
  return lines.map((line) => maskText(line, environment))
}

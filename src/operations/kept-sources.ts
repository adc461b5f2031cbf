import { posix } from 'node:path'
import { nothingKept, type BuildContent, type KeptSource } from '../domain/build.ts'
import type { Control } from '../domain/control.ts'
import { codeOf, RackError } from '../domain/error.ts'
import type { ManifestSource } from '../domain/manifest.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { hashOfSource, type KnownFile, type KnownSource, type UploadedSource } from './uploaded-source.ts'

/** What a build was made of, apart from what is secret. */
export interface Source {
  app: string
  content: UploadedSource
  /** Says which of its files are secret. */
  manifest: ManifestSource
}

/**
 * Keeps the source of a build, sealed and without its secret files, under the hash of what it holds: the same source is
 * there once. A list of its files is kept beside it, and after it.
 * @returns the hash, null when it could not be kept, for which no build fails; and its secret files, which stay with the build
 */
export async function keepSource(
  context: Context,
  source: Source,
  control: Control,
): Promise<Pick<BuildContent, 'kept' | 'beside'>> {
  const { app, content, manifest } = source
  const { objects, store } = context
  const secret = secretFiles(manifest)
  const isKept = (path: string) => !secret.has(posix.normalize(path))
  try {
    const all = await content.list(() => true, control.signal)
    const entries = all.filter(({ path }) => isKept(path))
    const beside = all.flatMap(({ path, type, mode }) => {
      return isKept(path) || type === 'directory'
        ? []
        : [{ path: posix.normalize(path), mode: type === 'file' ? mode : 0o644 }]
    })
    const hash = hashOfSource(entries)
    const put = async (key: string, place: string[], open: () => AsyncIterable<Uint8Array>) => {
      if ((await objects.size(key)) !== null) return
      await objects.put(key, store.sealing.seal(open(), place), control)
    }
    await put(keptKey(app, hash), sealPlace(app, hash), () => content.open(isKept))
    const files = entries.filter(({ type }) => type === 'file')
    await put(listKey(app, hash), listPlace(app, hash), () => listBytes(files))
    return { kept: hash, beside }
  } catch (error) {
    control.signal.throwIfAborted()
    context.log('warn', `the source of a build of ${app} is not kept`, { code: codeOf(error) })
    return { kept: null, beside: null }
  }
}

/** What an app's next upload may leave out: the files of the newest source that is kept. */
export async function getKeptSource(context: Context, app: string): Promise<KeptSource> {
  const { store, rack } = context
  await findApp(context, app)
  const releases = await store.releases.list(app, rack.keepReleases)
  for (const build of new Set(releases.flatMap((release) => release.build ?? []))) {
    const { kept } = await store.builds.content(build)
    const known = kept === null ? null : await openKeptSource(context, app, kept)
    if (known) return { id: kept, files: known.files.map(({ hash }) => hash) }
  }
  return nothingKept
}

/** Looks among what this app has sent alone. Null when it is not kept, or was by a version that kept no list. */
async function openKeptSource(context: Context, app: string, hash: string): Promise<KnownSource | null> {
  const { objects, store } = context
  if (!/^[0-9a-f]{64}$/.test(hash) || (await objects.size(listKey(app, hash))) === null) return null
  const sealed = objects.get(listKey(app, hash))
  const text = Buffer.concat(await Array.fromAsync(store.sealing.open(sealed, listPlace(app, hash))))
  const files = (JSON.parse(text.toString('utf8')) as [string, number, string][]).map(fileOf)
  return { files, open: () => store.sealing.open(objects.get(keptKey(app, hash)), sealPlace(app, hash)) }
}

/** What an upload says that it stands on. @throws gone */
export async function findKeptSource(context: Context, app: string, hash: string): Promise<KnownSource> {
  const known = await openKeptSource(context, app, hash)
  if (known) return known
  throw new RackError('gone', `${app} has no kept source of that name any more`, {
    hint: 'Send the whole source.',
  })
}

/** What is kept of a source, and the list of its files, in clear: for another rack. Null where it is not. */
export async function openSourceFiles(
  { objects, store }: Context,
  app: string,
  hash: string,
): Promise<{ source: AsyncIterable<Uint8Array>; list: AsyncIterable<Uint8Array> } | null> {
  const [source, list] = [keptKey(app, hash), listKey(app, hash)]
  if ((await objects.size(source)) === null || (await objects.size(list)) === null) return null
  return {
    source: store.sealing.open(objects.get(source), sealPlace(app, hash)),
    list: store.sealing.open(objects.get(list), listPlace(app, hash)),
  }
}

/** Keeps a part of what `openSourceFiles` gave: the source before its list. */
export async function putSourceFile(
  { objects, store }: Context,
  { app, hash, isList }: { app: string; hash: string; isList: boolean },
  content: AsyncIterable<Uint8Array>,
  control: Control,
): Promise<void> {
  const [key, place] = isList
    ? [listKey(app, hash), listPlace(app, hash)]
    : [keptKey(app, hash), sealPlace(app, hash)]
  await objects.put(key, store.sealing.seal(content, place), control)
}

/**
 * Removes kept sources that none of the hashes names; nothing is built meanwhile.
 * @returns how many bytes that were
 */
export async function sweepKeptSources({ objects }: Context, named: ReadonlySet<string>): Promise<number> {
  let swept = 0
  for (const { key, bytes } of await Array.fromAsync(objects.list('kept/'))) {
    if (named.has(key.replace(/\.files$/, ''))) continue
    await objects.remove(key)
    swept += bytes
  }
  return swept
}

export function keptKey(app: string, hash: string): string {
  return `kept/${app}/${hash}`
}

function listKey(app: string, hash: string): string {
  return `${keptKey(app, hash)}.files`
}

function sealPlace(app: string, hash: string): string[] {
  return ['source', app, hash]
}

function listPlace(app: string, hash: string): string[] {
  return ['source files', app, hash]
}

async function* listBytes(files: KnownFile[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(files.map(({ path, size, hash }) => [path, size, hash])))
}

function fileOf([path, size, hash]: [string, number, string]): KnownFile {
  return { path, size, hash }
}

function secretFiles({ texts, contents }: ManifestSource): Set<string> {
  return new Set(
    ['.env', ...Object.keys(texts), ...Object.keys(contents)].map((path) => posix.normalize(path)),
  )
}

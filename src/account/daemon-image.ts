import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildProgram } from '../aws/build-spec.ts'
import type { AwsClients } from '../aws/clients.ts'
import { readBlob } from '../aws/registry/blobs.ts'
import type { ImageSource } from '../aws/registry/copy-image.ts'
import { derivedManifest, putDerived } from '../aws/registry/derive-image.ts'
import { layerTar, type LayerEntry } from '../aws/registry/layer.ts'
import { readManifest, type FoundManifest } from '../aws/registry/manifests.ts'
import { createOwnImages, platform } from '../aws/registry/own-images.ts'
import { nameOf, placeOf } from '../aws/registry/place.ts'
import { createRegistry } from '../aws/registry/registry.ts'
import { RegistryError } from '../aws/registry/registry-error.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { readTextIfThere } from '../lib/files.ts'
import { isMissing } from '../lib/missing.ts'

/** What the daemon stands on, unless an installation chooses another: anybody may pull it. */
export const defaultNodeImage = 'public.ecr.aws/docker/library/node:24-bookworm-slim'

export interface DaemonImage {
  clients: Pick<AwsClients, 'images'>
  /** The rack's own. */
  repository: string
  /** An image with Node 24 or newer. */
  base: string
}

/**
 * Puts the image of the daemon and of builds into the rack's repository: the base, and one layer with the programs of this
 * build of Rack. The same programs on the same base have the same reference, and are put there once.
 * @throws image-unavailable where the base cannot be had or has an older Node; not-found where this build has no programs
 */
export async function ensureDaemonImage(
  { clients, repository, base }: DaemonImage,
  { signal, report }: Control,
): Promise<string> {
  report({ type: 'log', text: `the image of the daemon, on ${base} …`, time: new Date().toISOString() })
  const { from, derived } = await deriveFrom(base, signal)
  const own = await createOwnImages(clients.images).registry(signal)
  try {
    await putDerived(from, { registry: own, repository }, derived, signal)
  } catch (error) {
    throw unavailable(base, error, signal)
  }
  return nameOf({ host: own.host, repository }, derived.found.digest)
}

/** The reference that `ensureDaemonImage` would give in the repository of another one. Nothing is put there. */
export async function daemonImageBeside(
  reference: string,
  { base }: Pick<DaemonImage, 'base'>,
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const { derived } = await deriveFrom(base, signal)
  return `${reference.slice(0, reference.indexOf('@'))}@${derived.found.digest}`
}

/** The base is read, and nothing put anywhere. */
async function deriveFrom(base: string, signal: AbortSignal) {
  const tar = layerTar(await programEntries())
  const from = baseOf(base)
  const { found, configuration } = await readBase(from, base, signal)
  return { from, derived: { base: found, ...derivedManifest(found, configuration, tar, settings) } }
}

/** Whether all is there that the image is made of, before anything is made. @throws as `ensureDaemonImage` does */
export async function checkDaemonImage(base: string, { signal }: Pick<Control, 'signal'>): Promise<void> {
  if (!(await programNames()).includes(`${buildProgram}.js`)) throw notBuilt()
  await readBase(baseOf(base), base, signal)
}

function baseOf(base: string): ImageSource {
  const place = placeOf(base)
  return { registry: createRegistry({ host: place.host, account: async () => null }), ...place, platform }
}

/** Nobody's user in particular: the daemon needs no file but what it makes. */
const settings = {
  Entrypoint: ['node', '/rack/bin/start.mjs'],
  Cmd: ['daemon', '--account'],
  User: '1000:1000',
  WorkingDir: '/',
}

async function readBase(
  from: ImageSource,
  base: string,
  signal: AbortSignal,
): Promise<{ found: FoundManifest; configuration: Uint8Array }> {
  try {
    const found = await readManifest(from.registry, from, signal)
    const blob = { repository: from.repository, digest: found.manifest.config.digest }
    const configuration = await readBlob(from.registry, blob, signal)
    assertNode(base, configuration)
    return { found, configuration }
  } catch (error) {
    throw unavailable(base, error, signal)
  }
}

/** Official images of Node say which it is. Of another the daemon itself says it. */
function assertNode(base: string, configuration: Uint8Array): void {
  const { config } = JSON.parse(new TextDecoder().decode(configuration)) as { config?: { Env?: string[] } }
  const said = config?.Env?.find((line) => line.startsWith('NODE_VERSION='))?.slice('NODE_VERSION='.length)
  if (said === undefined || Number(said.split('.')[0]) >= 24) return
  throw new RackError(
    'image-unavailable',
    `the image ${base} has Node ${said}, and the daemon needs 24 or newer`,
    {
      hint: `Choose another: --node-image ${defaultNodeImage}`,
    },
  )
}

/** What a registry did not give, as one of ours; what is none of its answers stays as it is. */
function unavailable(base: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof RackError) return error
  const isOfRegistry = error instanceof RegistryError
  // What `fetch` throws when nobody answers.
  if (!isOfRegistry && !(error instanceof TypeError && error.cause instanceof Error)) return error
  const isPrivate = isOfRegistry && [401, 403].includes(error.status)
  const why = isOfRegistry ? error.message : `${error.message}: ${(error.cause as Error).message}`
  return new RackError('image-unavailable', `the image ${base} cannot be had: ${why}`, {
    hint: isPrivate
      ? 'Its registry wants a login, and an installation has none: choose one that anybody may pull: --node-image IMAGE'
      : 'Is the name right, and is its registry reached from here? Another: --node-image IMAGE',
    cause: error,
  })
}

/** Beside this program, or where a clone builds them. */
const dist = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../../dist' : '.')

/** @throws not-found where this build of Rack has no programs */
async function programEntries(): Promise<LayerEntry[]> {
  const names = await programNames()
  if (!names.includes(`${buildProgram}.js`)) throw notBuilt()
  const files = [['bin/start.mjs', join(dist, '../bin/start.mjs')]]
  for (const name of names) files.push([`dist/${name}`, join(dist, name)])
  const owner = { uid: 0, gid: 0 }
  const entries = files.map(async ([name, path]): Promise<LayerEntry> => {
    return { path: `/rack/${name}`, type: 'file', mode: 0o644, ...owner, content: await readFile(path!) }
  })
  const folders = ['/rack', '/rack/bin', '/rack/dist'].map((path): LayerEntry => {
    return { path, type: 'directory', mode: 0o755, ...owner, modified: new Date(0) }
  })
  return [...folders, ...(await Promise.all(entries))]
}

/** A clone keeps parts of the build before beside those of the last one, which its stamp tells apart. */
async function programNames(): Promise<string[]> {
  try {
    const stamp = await readTextIfThere(join(dist, 'stamp.json'))
    const names = stamp === null ? await readdir(dist) : (JSON.parse(stamp) as { files: string[] }).files
    return names.filter((name) => name.endsWith('.js') || name === 'openapi.json')
  } catch (error) {
    if (isMissing(error)) throw notBuilt(error)
    throw error
  }
}

function notBuilt(cause?: unknown): RackError {
  return new RackError('not-found', `${dist} has not the programs of the daemon: this clone is not built`, {
    hint: 'npm run build',
    cause,
  })
}

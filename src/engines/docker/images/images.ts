import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { splitReference, wholeName } from '../../../domain/image-name.ts'
import { tarEnd } from '../../../lib/tar-blocks.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import type { ImageInspect } from './image-config.ts'
import { readImageStream } from './image-stream.ts'

/** `rack/<rack>/<app>/<type>:<build>`: keeps what a build made or pulled from being pruned as dangling. */
export function imageTag(of: { rack: string; app: string; type: string; build: string }): string {
  const path = [of.rack, of.app, of.type].map(repositoryPart).join('/')
  return `${tagPrefix}${path}:${of.build.toLowerCase()}`
}

const tagPrefix = 'rack/'

/** A repository's part may not end in a hyphen, which our names may; an underscore is in none of them. */
function repositoryPart(name: string): string {
  return name.toLowerCase().replace(/-+$/, (hyphens) => '__0'.repeat(hyphens.length))
}

/**
 * A name for an image that holds nothing and is wanted for a moment only: one that a crash has left is swept like what no
 * build has. No app is called so.
 */
export function momentTag(rack: string, id: string): string {
  return imageTag({ rack, app: 'volume__look', type: 'empty', build: id })
}

/** The slashes of a name are part of the path. */
const pathOf = (name: string) => encodeURI(name).replaceAll('?', '%3F').replaceAll('#', '%23')

/** Null when there is no such image on this machine. */
export async function findImage(
  docker: DockerClient,
  name: string,
  control: Control,
): Promise<ImageInspect | null> {
  try {
    return await docker.json<ImageInspect>({ path: `/images/${pathOf(name)}/json` }, control)
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

/**
 * An image by its name alone: what the engine would also take for one, an id or the beginning of an id, is another
 * app's image as well as any. Null when there is none.
 */
export async function findNamedImage(
  docker: DockerClient,
  name: string,
  control: Control,
): Promise<ImageInspect | null> {
  const found = await findImage(docker, name, control)
  return found && carriesName(found, name) ? found : null
}

export function carriesName({ RepoTags, RepoDigests }: ImageInspect, name: string): boolean {
  return [...(RepoTags ?? []), ...(RepoDigests ?? [])].includes(wholeName(name))
}

/** Whether a name is one that only racks give: `rack/<rack>/<app>/<type>`. */
export function isRacksOwn(name: string): boolean {
  const whole = wholeName(name)
  return whole.startsWith(tagPrefix) && whole.split('/').length >= 4
}

/** Gives an image one more name; an image that had the name loses it. */
export async function tagImage(
  docker: DockerClient,
  image: string,
  name: string,
  control: Control,
): Promise<void> {
  const { repository, tag } = splitReference(name)
  const query = { repo: repository, tag: tag ?? 'latest' }
  await docker.json({ method: 'POST', path: `/images/${pathOf(image)}/tag`, query }, control)
}

/**
 * Takes the rack's names off all images but the kept ones; an image that then has no name left is deleted.
 *
 * @param keep references as builds gave them
 */
export async function sweepImages(
  docker: DockerClient,
  { rack, keep }: { rack: string; keep: ReadonlySet<string> },
  control: Control,
): Promise<{ images: number; bytes: number }> {
  const mine = ownPrefix(rack)
  const query = { filters: { reference: [`${mine}*/*`] } }
  const found = await docker.json<ImageSummary[]>({ path: '/images/json', query }, control)
  const swept = { images: 0, bytes: 0 }
  for (const { RepoTags, Size } of found.filter(({ Id }) => !keep.has(Id))) {
    const names = (RepoTags ?? []).filter((name) => name.startsWith(mine))
    // One after the other: the engine loses count when two names of one image go at once.
    let isGone = false
    for (const name of names) isGone = await dropImage(docker, name, control)
    if (!isGone) continue
    swept.images++
    swept.bytes += Size
  }
  return swept
}

/** Takes the names of an app's builds off all images. */
export async function dropNames(
  docker: DockerClient,
  { rack, app }: { rack: string; app: string },
  control: Control,
): Promise<void> {
  const prefix = `${ownPrefix(rack)}${repositoryPart(app)}/`
  const query = { filters: { reference: [`${prefix}*`] } }
  const found = await docker.json<ImageSummary[]>({ path: '/images/json', query }, control)
  const names = found.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name.startsWith(prefix))
  for (const name of names) await dropImage(docker, name, control)
}

/** Names of all images of this machine. */
export async function namesOfImages(docker: DockerClient, control: Control): Promise<string[]> {
  const found = await docker.json<ImageSummary[]>({ path: '/images/json' }, control)
  return found.flatMap(({ RepoTags }) => RepoTags ?? [])
}

/** How all names begin that a rack has given to images. */
export function ownPrefix(rack: string): string {
  return `${tagPrefix}${repositoryPart(rack)}/`
}

interface ImageSummary {
  Id: string
  RepoTags: string[] | null
  Size: number
}

/** Makes an image that holds nothing. */
export async function makeEmptyImage(docker: DockerClient, name: string, control: Control): Promise<void> {
  const { repository, tag } = splitReference(name)
  const query = { fromSrc: '-', repo: repository, tag: tag ?? 'latest' }
  const what = 'the making of an empty image'
  const response = await docker.stream(
    { method: 'POST', path: '/images/create', query, upload: noFiles() },
    control,
  )
  for await (const { error } of readImageStream(response, what, control)) {
    if (error !== undefined) throw new RackError('engine-failed', `Docker Engine: ${what} failed: ${error}`)
  }
}

async function* noFiles(): AsyncGenerator<Uint8Array> {
  yield tarEnd()
}

/**
 * Takes a name off an image; safe to repeat. True when the image itself went with its last name: one that a container uses
 * stays.
 */
export async function dropImage(docker: DockerClient, name: string, control: Control): Promise<boolean> {
  try {
    const done = await docker.json<{ Deleted?: string }[]>(
      { method: 'DELETE', path: `/images/${pathOf(name)}` },
      control,
    )
    return done.some(({ Deleted }) => Deleted !== undefined)
  } catch (error) {
    if (isNotFound(error) || isInUse(error)) return false
    throw error
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof RackError && error.code === 'conflict'
}

/** Drops what builds have cached and do not use now; returns the bytes. */
export async function pruneBuildCache(docker: DockerClient, control: Control): Promise<number> {
  const request = { method: 'POST', path: '/build/prune', query: { all: 1 }, deadlineMs: 300_000 } as const
  const { SpaceReclaimed } = await docker.json<{ SpaceReclaimed?: number }>(request, control)
  return SpaceReclaimed ?? 0
}

import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import type { ImageInspect } from './image-config.ts'

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

/** `registry:5000/team/web:1@sha256:…` cut into its parts. */
export function splitReference(name: string): {
  repository: string
  tag: string | null
  digest: string | null
} {
  const [named = '', digest = null] = name.split('@', 2)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  return {
    repository: hasTag ? named.slice(0, colon) : named,
    tag: hasTag ? named.slice(colon + 1) : null,
    digest,
  }
}

/**
 * Takes the rack's names off all images but the kept ones; an image that then has no name left is deleted.
 *
 * @param keep digests as builds gave them
 */
export async function sweepImages(
  docker: DockerClient,
  { rack, keep }: { rack: string; keep: ReadonlySet<string> },
  control: Control,
): Promise<{ images: number; bytes: number }> {
  const mine = `${tagPrefix}${repositoryPart(rack)}/`
  const query = { filters: { reference: [`${mine}*/*`] } }
  const found = await docker.json<ImageSummary[]>({ path: '/images/json', query }, control)
  const swept = { images: 0, bytes: 0 }
  for (const { RepoTags, Size } of found.filter(({ Id }) => !keep.has(Id))) {
    const names = (RepoTags ?? []).filter((name) => name.startsWith(mine))
    // One after the other: the engine loses count when two names of one image go at once.
    let isGone = false
    for (const name of names) isGone = await removeName(docker, name, control)
    if (!isGone) continue
    swept.images++
    swept.bytes += Size
  }
  return swept
}

interface ImageSummary {
  Id: string
  RepoTags: string[] | null
  Size: number
}

/** True when the image itself went with its last name. One that a container uses stays, and is tried again later. */
async function removeName(docker: DockerClient, name: string, control: Control): Promise<boolean> {
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

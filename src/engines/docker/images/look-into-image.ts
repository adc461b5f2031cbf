import { buffer } from 'node:stream/consumers'
import type { Control } from '../../../domain/control.ts'
import type { FileOwner } from '../../../domain/engine.ts'
import { readTar } from '../../../lib/tar.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import { labels, ownedBy } from '../labels.ts'

/** What an image has at the paths that were asked for. */
export interface ImageFacts {
  isFile(path: string): boolean
  /** Who owns what is at a path, where that is the image's user; null where it is not, or nothing is there. */
  ownerOf(path: string): FileOwner | null
}

/** An image, and who looks at it. */
export interface LookedAt {
  rack: string
  app: string
  /** As the engine names it. */
  image: string
  /** Whom its process runs as. */
  user: string | null
  /** What is mounted for whoever looks, as `HostConfig` says it; nothing where it is absent. */
  mounts?: Record<string, unknown>[]
}

/** Only a container shows what an image has: one is made for it, which never runs. */
export async function lookIntoImage(
  docker: DockerClient,
  of: LookedAt,
  paths: string[],
  control: Control,
): Promise<ImageFacts> {
  if (paths.length === 0) return { isFile: () => false, ownerOf: () => null }
  return await lookBriefly(docker, of, control, async (container) => {
    const found = new Map<string, Entry | null>()
    for (const path of paths) found.set(path, await firstEntry(docker, container, path, control))
    const uid = await userOf(docker, container, of.user, control)
    return {
      isFile: (path) => found.get(path)?.type === 'file',
      ownerOf(path) {
        const entry = found.get(path)
        return entry && entry.uid === uid ? { uid: entry.uid, gid: entry.gid } : null
      },
    }
  })
}

/** Makes a container that never runs, and removes it again. */
export async function lookBriefly<T>(
  docker: DockerClient,
  of: LookedAt,
  control: Control,
  look: (container: string) => Promise<T>,
): Promise<T> {
  const container = await create(docker, of, control)
  try {
    return await look(container)
  } finally {
    await remove(docker, container)
  }
}

/** Removes what a rack that was killed in the middle of looking left behind. */
export async function removeLooks(docker: DockerClient, rack: string, control: Control): Promise<void> {
  const { label } = ownedBy(rack)
  const query = { all: true, filters: { label: [...label, `${labels.look}=true`], status: ['created'] } }
  const found = await docker.json<{ Id: string }[]>({ path: '/containers/json', query }, control)
  for (const { Id } of found) await remove(docker, Id)
}

async function create(
  docker: DockerClient,
  { rack, app, image, mounts = [] }: LookedAt,
  control: Control,
): Promise<string> {
  const body = {
    Image: image,
    // An image without a command of its own makes no container.
    Cmd: ['true'],
    NetworkDisabled: true,
    HostConfig: { NetworkMode: 'none', Mounts: mounts },
    // Docker fills what is left out from the image.
    Labels: {
      ...Object.fromEntries(Object.values(labels).map((label) => [label, ''])),
      [labels.rack]: rack,
      [labels.app]: app,
      [labels.look]: 'true',
    },
  }
  const { Id } = await docker.json<{ Id: string }>(
    { method: 'POST', path: '/containers/create', body },
    control,
  )
  return Id
}

/** Under a signal of its own: a cancelled build leaves no container behind. */
async function remove(docker: DockerClient, container: string): Promise<void> {
  const query = { force: true, v: true }
  const request = { method: 'DELETE', path: `/containers/${container}`, query } as const
  try {
    await docker.json(request, { signal: AbortSignal.timeout(30_000) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

interface Entry extends FileOwner {
  type: string
  text: string
}

/** More than any list of users has. */
const longestTextBytes = 1024 * 1024

/** What is at a path itself; of a file the content too, if it is short. Null when nothing is there. */
async function firstEntry(
  docker: DockerClient,
  container: string,
  path: string,
  control: Control,
): Promise<Entry | null> {
  try {
    const archive = await docker.stream(
      { path: `/containers/${container}/archive`, query: { path } },
      control,
    )
    for await (const { header, content } of readTar(archive)) {
      const { type, uid, gid, size } = header
      const isText = type === 'file' && size <= longestTextBytes
      const text = isText ? (await buffer(content)).toString('utf8') : ''
      return { type: type ?? '', uid, gid, text }
    }
    return null
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

/** The number of a user who is not root, or null where the image knows none of the name. */
async function userOf(
  docker: DockerClient,
  container: string,
  user: string | null,
  control: Control,
): Promise<number | null> {
  const [name = ''] = (user ?? '').split(':')
  if (name === '' || name === 'root' || name === '0') return null
  if (/^\d+$/.test(name)) return Number(name)
  const passwd = await firstEntry(docker, container, '/etc/passwd', control)
  const line = (passwd?.text ?? '').split('\n').find((one) => one.startsWith(`${name}:`))
  return line === undefined ? null : Number(line.split(':')[2])
}

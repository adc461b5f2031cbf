import type { BuiltImage, BuiltImages } from '../domain/build.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { OwnLogin } from '../aws/registry/own-images.ts'
import type { OwnBuilder } from '../engines/aws/parts.ts'
import type { DockerClient } from '../engines/docker/client.ts'
import { createImageBuilder } from '../engines/docker/images/image-builder.ts'
import { dropImage, findImage, namesOfImages, ownPrefix, tagImage } from '../engines/docker/images/images.ts'
import { readImageStream } from '../engines/docker/images/image-stream.ts'
import { pullHeaders } from '../engines/docker/images/registry-logins.ts'
import { startDeadline } from '../lib/deadline.ts'
import { formatDuration } from '../lib/sizes.ts'

export interface OwnBuilderOptions {
  docker: DockerClient
  rack: string
  /** Nobody else builds for the rack there: what one has left that was killed goes with the next build. */
  isAlone: boolean
}

/**
 * Builds by a Docker Engine, as one machine would, and pushes what it made; the engine keeps none of it by name.
 * It throws what a build throws; engine-failed where the registry does not take an image; timeout.
 */
export function createOwnBuilder({ docker, rack, isAlone }: OwnBuilderOptions): OwnBuilder {
  // A rack on this machine may be called the same; no rack has such a name.
  const local = `${rack}__account`
  const builder = createImageBuilder({ docker, rack: local })
  /** By build, whose names are nobody else's. */
  const underWay = new Set<string>()
  const dropThose = async (isDropped: (build: string) => boolean, { host }: OwnLogin, control: Control) => {
    const prefixes = [ownPrefix(local), `${host}/rack/${rack}/`]
    const isOurs = (name: string) => prefixes.some((prefix) => name.startsWith(prefix))
    for (const name of await namesOfImages(docker, control)) {
      if (isOurs(name) && isDropped(buildOfName(name))) await dropImage(docker, name, control)
    }
  }
  return async (request, login, control) => {
    const own = request.build.toLowerCase()
    underWay.add(own)
    try {
      if (isAlone) await dropThose((build) => !underWay.has(build), login, control)
      const built = await builder.build(request, control)
      return await pushInTime({ docker, login, order: request }, built, control)
    } finally {
      const signal = AbortSignal.timeout(cleanUpMs)
      // What stays goes with the next build: it is no reason for this one to fail.
      await dropThose((build) => build === own, login, { ...control, signal }).catch(() => undefined)
      underWay.delete(own)
    }
  }
}

const cleanUpMs = 30_000

/** All names of builds end so: the build, alone or behind its type. */
function buildOfName(name: string): string {
  return name
    .slice(name.lastIndexOf(':') + 1)
    .split('.')
    .at(-1)!
}

interface Pushing {
  docker: DockerClient
  login: OwnLogin
  order: Pick<Parameters<OwnBuilder>[0], 'app' | 'repository' | 'build' | 'deadlineMs'>
}

/** A push has as long as the build had. */
async function pushInTime(pushing: Pushing, built: BuiltImages, control: Control): Promise<BuiltImages> {
  const { app, deadlineMs } = pushing.order
  using deadline = startDeadline({
    deadlineMs,
    what: `the push of ${app}`,
    signal: control.signal,
    reason: () =>
      new RackError('timeout', `the images of ${app} were not pushed within ${formatDuration(deadlineMs)}`, {
        hint: 'Is the way to the account slow? To give it more time: rack parameters set builds.deadline=2h',
      }),
  })
  return await pushAll(pushing, built, { ...control, signal: deadline.signal })
}

/** Each image once, by the reference that the account has it by. */
async function pushAll(pushing: Pushing, built: BuiltImages, control: Control): Promise<BuiltImages> {
  const references = new Map<string, string>()
  const all: [string, BuiltImage][] = []
  for (const [type, image] of Object.entries(built)) {
    const known = references.get(image.reference)
    const reference = known ?? (await push(pushing, { type, image }, control))
    references.set(image.reference, reference)
    all.push([type, { ...image, reference }])
  }
  return Object.fromEntries(all)
}

async function push(
  { docker, login, order }: Pushing,
  { type, image }: { type: string; image: BuiltImage },
  control: Control,
): Promise<string> {
  const name = `${login.host}/${order.repository}`
  const tag = `${type}.${order.build}`.toLowerCase()
  await tagImage(docker, image.reference, `${name}:${tag}`, control)
  const headers = pullHeaders(name, [login])
  const request = { method: 'POST', path: `/images/${name}/push`, query: { tag }, headers } as const
  for await (const { error } of readImageStream(await docker.stream(request, control), 'push', control)) {
    if (error !== undefined)
      throw new RackError('engine-failed', `the image of ${type} cannot be pushed: ${error}`)
  }
  const found = await findImage(docker, `${name}:${tag}`, control)
  const pushed = (found?.RepoDigests ?? []).find((one) => one.startsWith(`${name}@`))
  if (pushed === undefined)
    throw new RackError('engine-failed', `the push of the image of ${type} gave no digest`)
  return pushed
}

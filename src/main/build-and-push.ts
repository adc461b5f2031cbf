import type { BuiltImage, BuiltImages } from '../domain/build.ts'
import type { Control } from '../domain/control.ts'
import type { BuildRequest } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import type { OwnLogin } from '../aws/registry/own-images.ts'
import type { DockerClient } from '../engines/docker/client.ts'
import { createImageBuilder } from '../engines/docker/images/image-builder.ts'
import { dropImage, dropNames, findImage, tagImage } from '../engines/docker/images/images.ts'
import { readImageStream } from '../engines/docker/images/image-stream.ts'
import { pullHeaders } from '../engines/docker/images/registry-logins.ts'

/** A build whose images go into a repository of the account's registry. */
export interface PushedBuild extends BuildRequest {
  repository: string
}

/**
 * Builds by a Docker Engine, as one machine would, and pushes what it made; the engine keeps none of it by name.
 * @throws what a build throws; engine-failed where the registry takes an image not
 */
export async function buildAndPush(
  { docker, rack }: { docker: DockerClient; rack: string },
  request: PushedBuild,
  login: OwnLogin,
  control: Control,
): Promise<BuiltImages> {
  try {
    const built = await createImageBuilder({ docker, rack }).build(request, control)
    return await pushAll({ docker, login, orders: request }, built, control)
  } finally {
    const { app } = request
    await dropNames(docker, { rack, app }, { ...control, signal: AbortSignal.timeout(30_000) })
  }
}

interface Pushing {
  docker: DockerClient
  login: OwnLogin
  orders: Pick<PushedBuild, 'repository' | 'build'>
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
  { docker, login, orders }: Pushing,
  { type, image }: { type: string; image: BuiltImage },
  control: Control,
): Promise<string> {
  const name = `${login.host}/${orders.repository}`
  const tag = `${type}.${orders.build}`.toLowerCase()
  await tagImage(docker, image.reference, `${name}:${tag}`, control)
  const headers = pullHeaders(name, [login])
  const request = { method: 'POST', path: `/images/${name}/push`, query: { tag }, headers } as const
  for await (const { error } of readImageStream(await docker.stream(request, control), 'push', control)) {
    if (error !== undefined)
      throw new RackError('engine-failed', `the image of ${type} cannot be pushed: ${error}`)
  }
  const found = await findImage(docker, `${name}:${tag}`, control)
  const pushed = (found?.RepoDigests ?? []).find((one) => one.startsWith(`${name}@`))
  await dropImage(docker, `${name}:${tag}`, control)
  if (pushed === undefined)
    throw new RackError('engine-failed', `the push of the image of ${type} gave no digest`)
  return pushed
}

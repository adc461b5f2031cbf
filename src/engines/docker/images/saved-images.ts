import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { DockerClient } from '../client.ts'
import type { EngineParts } from '../parts.ts'
import type { BuiltImages } from '../../../domain/build.ts'
import { dropImage, dropNames, findImage, imageTag, ownPrefix, tagImage } from './images.ts'
import { readImageStream } from './image-stream.ts'
import type { SavedImages } from '../../../domain/engine.ts'
import { withoutNames } from './without-names.ts'

type Images = Pick<EngineParts, 'docker' | 'rack'>

interface Saving {
  references: string[]
  named: boolean
  out: (chunk: Uint8Array) => Promise<void>
}

/**
 * Images as one tar, in which layers that they share are once. They keep the names that this rack has given them, or none; names of
 * others stay out, since whoever loads the tar would have them lead elsewhere than they did.
 */
export async function saveImages(
  { docker, rack }: Images,
  { references, named, out }: Saving,
  control: Control,
): Promise<void> {
  const names: string[] = []
  for (const reference of references) {
    const found = await findImage(docker, reference, control)
    if (!found) {
      throw new RackError('image-unavailable', `the image ${reference} is not here any more`, {
        hint: 'Build the app again: rack deploy; or leave images out: --no-images',
      })
    }
    const own = named ? (found.RepoTags ?? []).filter((name) => name.startsWith(ownPrefix(rack))) : []
    names.push(...(own.length > 0 ? own : [reference]))
  }
  if (names.length === 0) return
  // Docker looks for all of the layers before its first byte.
  const request = { path: '/images/get', query: { names: [...new Set(names)] }, deadlineMs: null }
  for await (const chunk of await docker.stream(request, control)) await out(chunk as Uint8Array)
}

/**
 * Puts such a tar in; images that are here already stay. Names in it are left out where it is a stranger's.
 * @returns the digests that they are called after here, by the references that they had
 */
export async function loadImages(
  docker: DockerClient,
  { open, of }: SavedImages,
  control: Control,
): Promise<Map<string, string>> {
  const what = 'the loading of images'
  const images = of?.images ?? []
  const digests = images.map(({ digest }) => digest)
  const upload = of === null ? open() : withoutNames(open(), digests)
  const request = { method: 'POST', path: '/images/load', query: { quiet: 1 }, upload } as const
  const response = await docker.stream({ ...request, deadlineMs: null }, control)
  for await (const { error } of readImageStream(response, what, control)) {
    if (error !== undefined) throw new RackError('engine-failed', `Docker Engine: ${what} failed: ${error}`)
  }
  return new Map(images.map(({ reference, digest }) => [reference, digest]))
}

export async function imagesHere(
  docker: DockerClient,
  references: string[],
  control: Control,
): Promise<Set<string>> {
  const here = new Set<string>()
  for (const reference of references) if (await findImage(docker, reference, control)) here.add(reference)
  return here
}

/** Gives images the names that a build of the app would have given them. */
export async function nameImages(
  { docker, rack }: Images,
  { app, build, images }: { app: string; build: string; images: BuiltImages },
  control: Control,
): Promise<void> {
  for (const [type, { reference }] of Object.entries(images)) {
    if (!(await findImage(docker, reference, control)))
      throw new RackError('image-unavailable', `the image of ${type} is not here`)
    await tagImage(docker, reference, imageTag({ rack, app, type, build }), control)
  }
}

/** Takes the names off again, and away what no name keeps. */
export async function forgetImages(
  { docker, rack }: Images,
  { app, references }: { app: string; references: string[] },
  control: Control,
): Promise<void> {
  await dropNames(docker, { rack, app }, control)
  for (const reference of references) {
    const found = await findImage(docker, reference, control)
    const isNameless = found && [...(found.RepoTags ?? []), ...(found.RepoDigests ?? [])].length === 0
    if (isNameless) await dropImage(docker, reference, control)
  }
}

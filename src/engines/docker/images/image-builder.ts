import type { BuiltImage, BuiltImages } from '../../../domain/build.ts'
import type { Control } from '../../../domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import type { BuildSpec } from '../../../domain/manifest.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { contextOf, readBuildTexts, type BuildTexts } from './build-context.ts'
import type { DockerClient } from '../client.ts'
import { readImage } from './image-config.ts'
import { errorOfConnection } from '../errors.ts'
import { imageTag, tagImage } from './images.ts'
import { pullImage } from './pull-image.ts'

/** Makes the images of builds, a bounded number at once. */
export interface ImageBuilder {
  /** As `Engine.build`. */
  build(request: BuildRequest, control: Control): Promise<BuiltImages>
  /** Builds that run or wait for their turn: each reserves `buildReservation`. */
  running(): { app: string; build: string }[]
}

export interface ImageBuilderOptions {
  docker: DockerClient
  rack: string
  /** Builds at once; 2 when absent. */
  maxConcurrentBuilds?: number
  /** How long a registry may be silent; 10 s when absent. */
  registryPatienceMs?: number
}

/** Images of one build that are made at once. */
const imagesAtOnce = 3

export function createImageBuilder(options: ImageBuilderOptions): ImageBuilder {
  const { maxConcurrentBuilds = 2, ...rest } = options
  const turns = createSemaphore(maxConcurrentBuilds)
  const running = new Set<{ app: string; build: string }>()
  return {
    running: () => [...running],
    async build(request, control) {
      const entry = { app: request.app, build: request.build }
      if (running.size >= maxConcurrentBuilds) sayIn(control)('waiting for other builds of this rack')
      running.add(entry)
      try {
        return await turns.run(() => buildImages(rest, request, control), control.signal)
      } catch (error) {
        // A wait that was cut short throws the bare reason of the signal.
        throw error instanceof RackError || !control.signal.aborted
          ? error
          : errorOfConnection(error, control.signal, 'build')
      } finally {
        running.delete(entry)
      }
    },
  }
}

type Making = Omit<ImageBuilderOptions, 'maxConcurrentBuilds'>

async function buildImages(making: Making, request: BuildRequest, control: Control): Promise<BuiltImages> {
  const images = mergeRequests(request.images)
  const specs = images.flatMap(({ build }) => (build ? [build] : []))
  const texts = await readBuildTexts(() => request.source(), specs, control.signal)
  // One that fails ends the others, and all have ended when this settles.
  const failed = new AbortController()
  const own = { ...control, signal: AbortSignal.any([control.signal, failed.signal]) }
  const slots = createSemaphore(imagesAtOnce)
  const errors: unknown[] = []
  const made = await Promise.all(
    images.map(async (image) => {
      try {
        return await slots.run(() => makeImage(making, request, { image, texts }, own), own.signal)
      } catch (error) {
        errors.push(error)
        failed.abort(error)
        return null
      }
    }),
  )
  if (errors.length > 0) throw errors[0]
  return Object.fromEntries(
    images.flatMap(({ processes }, index) => processes.map((name) => [name, made[index]!])),
  )
}

async function makeImage(
  making: Making,
  request: BuildRequest,
  { image, texts }: { image: ImageRequest; texts: BuildTexts },
  control: Control,
): Promise<BuiltImage> {
  const { docker, rack, registryPatienceMs = 10_000 } = making
  const [process = ''] = image.processes
  const tag = imageTag({ rack, app: request.app, type: process, build: request.build })
  const say = sayIn(control, process)
  if (image.build) {
    const context = contextOf(() => request.source(), image.build, texts, process)
    // Loaded by the first build: an idle daemon need not hold what reads its log.
    const { buildOne } = await import('./build-one.ts')
    const built = await buildOne(
      { docker, rack, request, image, spec: image.build, context, tag, say },
      control,
    )
    if (image.image !== null) await tagImage(docker, built.Id, image.image, control)
    return readImage(built)
  }
  const options = { process, patienceMs: registryPatienceMs, say }
  const pulled = await pullImage(docker, image.image ?? '', options, control)
  await tagImage(docker, pulled.Id, tag, control)
  return readImage(pulled)
}

/** Requests that make the same image become one. */
function mergeRequests(requests: ImageRequest[]): ImageRequest[] {
  const merged = new Map<string, ImageRequest>()
  for (const { processes, build, image } of requests) {
    const key = JSON.stringify(build ? [buildKey(build), image] : image)
    const before = merged.get(key)
    merged.set(key, { processes: [...(before?.processes ?? []), ...processes], build, image })
  }
  return [...merged.values()]
}

function buildKey(build: BuildSpec): unknown {
  const sorted = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted({ ...build, args: sorted(build.args), labels: sorted(build.labels) })
}

function sayIn(control: Control, process?: string): (text: string) => void {
  return (text) =>
    control.report({ type: 'log', text, time: new Date().toISOString(), ...(process && { process }) })
}

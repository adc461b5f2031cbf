import { buildTooLong, type BuiltImage, type BuiltImages } from '../../../domain/build.ts'
import type { Control } from '../../../domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import type { BuildSpec } from '../../../domain/manifest.ts'
import { startDeadline } from '../../../lib/deadline.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { contextOf, readBuildTexts, type BuildTexts } from './build-context.ts'
import type { DockerClient } from '../client.ts'
import { originOf, readImage } from './image-config.ts'
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
        return await turns.run(() => buildInTime(rest, request, control), control.signal)
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

/** @throws timeout; when it settles, nothing of the build runs any more */
async function buildInTime(making: Making, request: BuildRequest, control: Control): Promise<BuiltImages> {
  const { app, deadlineMs } = request
  using deadline = startDeadline({
    deadlineMs,
    what: `the build of ${app}`,
    signal: control.signal,
    reason: () => buildTooLong(app, deadlineMs),
  })
  return await buildImages(making, request, { ...control, signal: deadline.signal })
}

async function buildImages(making: Making, request: BuildRequest, control: Control): Promise<BuiltImages> {
  const requests = mergeRequests(request.images)
  const bases = basesOf(requests, ({ processes: [type = ''] }) =>
    imageTag({ rack: making.rack, app: request.app, type, build: request.build }),
  )
  const specs = bases.flatMap(({ build }) => (build ? [build] : []))
  const texts = await readBuildTexts(() => request.source(), specs, control.signal)
  // One that fails ends the others, and all have ended when this settles.
  const failed = new AbortController()
  const own = { ...control, signal: AbortSignal.any([control.signal, failed.signal]) }
  const slots = createSemaphore(imagesAtOnce)
  const errors: unknown[] = []
  const make = inOrder(bases, async (base) => {
    try {
      return await slots.run(() => makeBase(making, request, { base, bases, texts }, own), own.signal)
    } catch (error) {
      errors.push(error)
      failed.abort(error)
      return []
    }
  })
  const made = await Promise.all(bases.map(make))
  if (errors.length > 0) throw errors[0]
  return Object.fromEntries(made.flat())
}

/** An image that is built or pulled, and those that are made of it by laying content over it. */
interface BaseImage extends Pick<ImageRequest, 'build' | 'image' | 'pull'> {
  /** The name that it gets. */
  tag: string
  requests: ImageRequest[]
}

function basesOf(requests: ImageRequest[], tagOf: (request: ImageRequest) => string): BaseImage[] {
  return [...Map.groupBy(requests, baseKey).values()].map((own) => {
    const { build, image, pull } = own[0]!
    const bare = own.find(({ laid = [] }) => laid.length === 0)
    return {
      build,
      image,
      ...(pull && { pull }),
      requests: own,
      tag: bare ? tagOf(bare) : `${tagOf(own[0]!)}-base`,
    }
  })
}

/** By process type. */
async function makeBase(
  making: Making,
  request: BuildRequest,
  { base, bases, texts }: OneImage,
  control: Control,
): Promise<[type: string, image: BuiltImage][]> {
  const processes = base.requests.flatMap((one) => one.processes)
  const made = await makeImage(making, request, { base: { ...base, processes }, bases, texts }, control)
  const all: [string, BuiltImage][] = []
  for (const image of base.requests) {
    const own = await withContent(making, request, { base: made, baseTag: base.tag, image }, control)
    for (const type of image.processes) all.push([type, own])
  }
  return all
}

/** Makes each image once, and after those that its build stands on; the file has no cycle of them. */
function inOrder<T>(
  bases: BaseImage[],
  make: (base: BaseImage) => Promise<T>,
): (base: BaseImage) => Promise<T> {
  const made = new Map<BaseImage, Promise<T>>()
  const makeAfter = async (base: BaseImage): Promise<T> => {
    const named = (base.build?.contexts ?? []).flatMap((one) => ('process' in one ? [one.process] : []))
    const needed = bases.filter((other) => named.some((process) => isOf(process, other)))
    await Promise.all(needed.map(makeOnce))
    return await make(base)
  }
  const makeOnce = (base: BaseImage): Promise<T> => {
    const making = made.get(base) ?? makeAfter(base)
    made.set(base, making)
    return making
  }
  return makeOnce
}

function isOf(process: string, { requests }: BaseImage): boolean {
  return requests.some(({ processes }) => processes.includes(process))
}

interface OneImage {
  base: BaseImage
  /** All of the build. */
  bases: BaseImage[]
  texts: BuildTexts
}

async function makeImage(
  making: Making,
  request: BuildRequest,
  { base, bases, texts }: OneImage & { base: Pick<ImageRequest, 'processes'> },
  control: Control,
): Promise<BuiltImage> {
  const { docker, rack, registryPatienceMs = 10_000 } = making
  const { tag, build: spec } = base
  const [type = ''] = base.processes
  const say = sayIn(control, type)
  if (spec) {
    // Loaded by the first build: an idle daemon need not hold what reads its log.
    const { buildOne } = await import('./build-one.ts')
    const { nameContexts } = await import('./name-contexts.ts')
    const one = { docker, rack, request, image: base, spec, tag, say }
    const tagOf = (process: string) => bases.find((other) => isOf(process, other))?.tag ?? process
    const stages = await nameContexts(one, { tagOf, texts }, control)
    const context = contextOf(() => request.source(), spec, texts, type, stages)
    return readImage(await buildOne({ ...one, context }, control))
  }
  const { logins = [] } = request
  const options = { process: type, patienceMs: registryPatienceMs, say, logins, policy: base.pull ?? null }
  const pulled = await pullImage(docker, base.image ?? '', options, control)
  await tagImage(docker, pulled.Id, tag, control)
  return { ...readImage(pulled), ...originOf(pulled, base.image ?? '') }
}

async function withContent(
  { docker, rack }: Making,
  request: BuildRequest,
  { base, baseTag, image }: { base: BuiltImage; baseTag: string; image: ImageRequest },
  control: Control,
): Promise<BuiltImage> {
  const { laid = [], folders = [] } = image
  if (laid.length === 0 && folders.length === 0) return base
  const [type = ''] = image.processes
  const tag = imageTag({ rack, app: request.app, type, build: request.build })
  const { layContent } = await import('./lay-content.ts')
  return await layContent({ docker, rack, request, image, base, baseTag, tag }, control)
}

/** Requests that make the same image become one. */
function mergeRequests(requests: ImageRequest[]): ImageRequest[] {
  const keyOf = (one: ImageRequest) => JSON.stringify([baseKey(one), one.laid ?? []])
  return [...Map.groupBy(requests, keyOf).values()].map((same) => {
    const folders = same.flatMap((one) => one.folders ?? [])
    const processes = same.flatMap((one) => one.processes)
    return { ...same[0]!, processes, ...(folders.length > 0 && { folders }) }
  })
}

/** What is built or pulled, whatever is laid over it. */
function baseKey({ build, image, pull }: ImageRequest): string {
  return JSON.stringify(build ? [buildKey(build)] : [image, pull ?? null])
}

function buildKey(build: BuildSpec): unknown {
  const sorted = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted({ ...build, args: sorted(build.args), labels: sorted(build.labels) })
}

function sayIn(control: Control, type?: string): (text: string) => void {
  return (text) =>
    control.report({ type: 'log', text, time: new Date().toISOString(), ...(type && { process: type }) })
}

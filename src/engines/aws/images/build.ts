import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BuiltImages } from '../../../domain/build.ts'
import type { Control } from '../../../domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../../domain/engine.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { together } from '../../../lib/together.ts'
import { imagesOwner, repositoryName } from '../names.ts'
import { notThere } from '../not-there.ts'
import type { AwsParts } from '../parts.ts'
import { runBuildJob } from './build-job.ts'
import type { BuildOrders, OrderedImage } from './build-orders.ts'
import { copyType } from './copy-types.ts'
import { ensureRepository } from './repository.ts'

/** Images of one build that are copied at once. */
const copiesAtOnce = 3

/**
 * Makes the images of a build in the app's repository: what is pulled goes from registry to registry, what is built is
 * built by CodeBuild, or beside the daemon.
 */
export async function buildImages(
  parts: AwsParts,
  request: BuildRequest,
  control: Control,
): Promise<BuiltImages> {
  const repository = repositoryName(parts.rack, imagesOwner(request.app))
  await ensureRepository(parts, repository, control)
  const needed = new Set(request.images.flatMap(({ build }) => processesIn(build)))
  const isCopied = ({ build, laid = [], folders = [], processes }: ImageRequest) =>
    build === null && laid.length + folders.length === 0 && !processes.some((type) => needed.has(type))
  const slots = createSemaphore(copiesAtOnce)
  const copies = request.images.filter(isCopied).map((image) => async (signal: AbortSignal) => {
    const say = (text: string) => sayIn(control, text, image.processes[0])
    const order = { request: image, repository, logins: request.logins ?? [], say }
    const copied = await slots.run(async () => await copyType(parts, order, { signal }), signal)
    return Object.fromEntries(image.processes.map((type) => [type, copied]))
  })
  const built = request.images.filter((image) => !isCopied(image))
  const job = async (signal: AbortSignal) =>
    await buildImagesOf(parts, { ...request, images: built }, repository, { ...control, signal })
  const made = await together<BuiltImages>(control.signal, [...copies, ...(built.length > 0 ? [job] : [])])
  return Object.assign({}, ...made) as BuiltImages
}

/** A build that stands on the image of another type is made where that is. */
function processesIn(build: ImageRequest['build']): string[] {
  return (build?.contexts ?? []).flatMap((context) => ('process' in context ? [context.process] : []))
}

async function buildImagesOf(
  parts: AwsParts,
  request: BuildRequest,
  repository: string,
  control: Control,
): Promise<BuiltImages> {
  const { places, builder, images } = parts
  if (places.buildProject !== null) return await buildInAccount(parts, request, repository, control)
  if (builder === null)
    throw notThere('build', 'it has no project of CodeBuild, and no builder beside its daemon')
  return await builder({ ...request, repository }, await images.login(control.signal), control)
}

async function buildInAccount(
  parts: AwsParts,
  request: BuildRequest,
  repository: string,
  control: Control,
): Promise<BuiltImages> {
  const { rack } = parts
  const { app, build, logins = [], environment, noCache, deadlineMs } = request
  const prefix = `sources/${app}/${build}`
  const given = createGiven(parts)
  try {
    const source = await given.put(`${prefix}.tar`, request.source(), control.signal)
    const images: OrderedImage[] = []
    for (const [index, { laid = [], ...image }] of request.images.entries()) {
      const own: OrderedImage['laid'] = []
      for (const [at, content] of laid.entries()) {
        const key = `${prefix}-${index}-${at}.tar`
        await given.put(key, content.open({ uid: 0, gid: 0 }), control.signal)
        own.push({ ...content, key })
      }
      images.push({ ...image, laid: own })
    }
    const orders: BuildOrders = {
      rack,
      app,
      build,
      repository,
      source,
      images,
      logins,
      environment,
      noCache,
      deadlineMs,
    }
    const key = await given.put(`${prefix}.json`, [Buffer.from(JSON.stringify(orders))], control.signal)
    return await runBuildJob(parts, { key, orders }, control)
  } finally {
    await given.remove()
  }
}

/** Objects of the rack's bucket that a build is given, and that are gone when it has ended. */
function createGiven({ clients, places: { bucket }, onTrouble }: AwsParts) {
  const keys: string[] = []
  return {
    async put(
      key: string,
      content: AsyncIterable<Uint8Array> | Uint8Array[],
      signal: AbortSignal,
    ): Promise<string> {
      // Its length has to be known before, and no source is held in memory.
      const directory = await mkdtemp(join(tmpdir(), 'rack-build-'))
      try {
        const path = join(directory, 'content')
        await using file = await open(path, 'w')
        for await (const chunk of content) {
          signal.throwIfAborted()
          await file.write(chunk)
        }
        const { size } = await file.stat()
        keys.push(key)
        const input = { Bucket: bucket, Key: key, Body: createReadStream(path), ContentLength: size }
        await clients.objects.putObject(input, { abortSignal: signal })
        return key
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },
    /** Under a signal of its own: what a build is given holds logins. */
    async remove(): Promise<void> {
      const abortSignal = AbortSignal.timeout(30_000)
      const remove = async (Key: string) =>
        await clients.objects.deleteObject({ Bucket: bucket, Key }, { abortSignal })
      // What the build itself said is not hidden by it; a sweep takes what is left.
      for (const outcome of await Promise.allSettled(keys.map(remove)))
        if (outcome.status === 'rejected') onTrouble(outcome.reason)
    },
  }
}

function sayIn(control: Control, text: string, type: string | undefined): void {
  control.report({ type: 'log', text, time: new Date().toISOString(), ...(type && { process: type }) })
}

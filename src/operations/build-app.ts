import { admitExtra } from '../domain/admission.ts'
import type { Build, BuildContent, BuiltImages } from '../domain/build.ts'
import type { Control, Progress } from '../domain/control.ts'
import type { BuildRequest, ImageRequest } from '../domain/engine.ts'
import { codeOf, RackError } from '../domain/error.ts'
import type { Manifest, ManifestSource } from '../domain/manifest.ts'
import type { Operation } from '../domain/operation.ts'
import { linksToNowhere } from '../domain/plan.ts'
import { buildReservation, type Capacity } from '../domain/rack.ts'
import { releaseOfBuild } from '../domain/release.ts'
import type { ReadOptions } from '../manifest/load-tree.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { problemLine } from '../manifest/report.ts'
import type { BuildLogWriter } from './build-logs.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { closeFailed } from './journal/carry-out.ts'
import { startBuild } from './journal/start-operation.ts'
import type { BuildResult, BuildUpload } from './operations.ts'
import { manifestError } from './read-release.ts'
import { readManifestSource, sourceTar } from './source-upload.ts'

/**
 * Makes the images of one upload and a release of them. What is said meanwhile is reported and kept as the build's log.
 * The upload ends with the caller; the build itself does not.
 */
export async function buildApp(
  context: Context,
  app: string,
  upload: BuildUpload,
  actor: string,
  control: Control,
): Promise<BuildResult> {
  await findApp(context, app)
  return await startBuild(context, app, control, async () => {
    const build = await context.store.builds.create(app, upload.description)
    const operation = await context.store.operations.begin(app, 'build', actor, { build: build.id })
    return {
      operation,
      work: (signal) => carryOutBuild(context, { build, operation, upload }, control, signal),
    }
  })
}

interface Started {
  build: Build
  operation: Operation
  upload: BuildUpload
}

async function carryOutBuild(
  context: Context,
  { build, operation, upload }: Started,
  caller: Control,
  signal: AbortSignal,
): Promise<BuildResult> {
  const { objects, rack, running, buildLogs } = context
  const log = buildLogs.open(build.app, build.id)
  const report = (progress: Progress) => {
    log.write(progress)
    caller.report(progress)
  }
  // Names the build first, so that whoever asked can cancel it.
  const began = context.now()
  report({ type: 'phase', phase: 'build', state: 'started', detail: build.id, time: began.toISOString() })
  try {
    // Asked with the row there: a deletion that begins later sees the row, and ends the build.
    const { status } = await findApp(context, build.app)
    if (status === 'deleting') throw new RackError('conflict', `${build.app} is being deleted`)
    const limited = limitBytes(upload.content, rack.maxSourceBytes)
    const whole = { signal: AbortSignal.any([signal, caller.signal]), report }
    await objects.put(sourceKey(build), limited, whole)
    const made = await makeRelease(context, build, operation, upload.noCache, { signal, report })
    const ended = context.now()
    const ms = ended.getTime() - began.getTime()
    report({ type: 'phase', phase: 'build', state: 'ended', ms, time: ended.toISOString() })
    return made
  } catch (error) {
    // A daemon that stops leaves the row open; the next start closes it.
    if (!running.isInterrupted()) await closeFailedBuild(context, operation, build, error, log)
    throw error
  } finally {
    await clearUp(context, build)
    await log.close()
  }
}

/** What stays goes with the app; that is no reason to call a build failed. */
async function clearUp(context: Context, build: Build): Promise<void> {
  try {
    await context.objects.remove(sourceKey(build))
  } catch (error) {
    context.log('warn', `the source of ${build.id} stays`, {
      code: codeOf(error),
    })
  }
}

async function makeRelease(
  context: Context,
  build: Build,
  operation: Operation,
  noCache: boolean,
  control: Control,
): Promise<BuildResult> {
  const { store, objects, engine } = context
  const { app } = build
  await store.builds.start(build.id)
  const newest = await store.releases.newest(app)
  const environment = newest ? await store.releases.environment(app, newest.id) : {}
  const source = await readManifestSource(objects.get(sourceKey(build)))
  const manifest = checkManifest(source, { environment, app, policy: context.policy.current() }, control)
  const request: BuildRequest = {
    app,
    build: build.id,
    images: imageRequests(manifest),
    source: () => sourceTar(objects.get(sourceKey(build))),
    environment,
    noCache,
  }
  const ask = (capacity: Capacity) => admitExtra('build', buildReservation, 1, capacity)
  using _room = await context.desk.admit(app, `a build of ${app}`, ask, control)
  const release = await context.images.whileMaking(control.signal, async () => {
    const images = await engine.build(request, control)
    refuseLinksToNowhere(manifest, images)
    const content: BuildContent = { source, images }
    return await store.releases.appendOfBuild(build.id, content, (history) =>
      releaseOfBuild(history, build.id, build.description),
    )
  })
  await closeComplete(context, operation)
  return { build: build.id, release: release.id }
}

/** Variables may still be missing when a build is made; the promote asks for them. */
function checkManifest(
  source: ManifestSource,
  options: Omit<ReadOptions, 'lenientVariables'>,
  control: Control,
): Manifest {
  const { manifest, problems } = readManifest(source, { ...options, lenientVariables: true })
  const warnings = problems.filter(({ severity }) => severity === 'warning')
  for (const problem of warnings) control.report(say(problemLine(problem)))
  if (manifest) return manifest
  throw manifestError(problems, 'Give them a value, then deploy again: rack env set NAME=value')
}

/** Only the images know what they expose, so this cannot be said when the file is read. */
function refuseLinksToNowhere(manifest: Manifest, images: BuiltImages): void {
  const links = linksToNowhere(manifest, images)
  if (links.length === 0) return
  throw new RackError(
    'manifest-invalid',
    `a link needs a port to lead to, and there is none: ${links.join(', ')}`,
    {
      hint: 'Declare one in the compose file, under `ports:` or `expose:` of the process that is linked to.',
    },
  )
}

/** Types whose images are made the same way share one request. */
function imageRequests(manifest: Manifest): ImageRequest[] {
  const requests = new Map<string, ImageRequest>()
  for (const { name, build, image } of manifest.processes) {
    const key = JSON.stringify(build ?? image)
    const request = requests.get(key)
    if (request) request.processes.push(name)
    else requests.set(key, { processes: [name], build, image })
  }
  return [...requests.values()]
}

/** The release is made and durable; a row that cannot be closed now is closed when it is taken up. */
async function closeComplete(context: Context, operation: Operation): Promise<void> {
  try {
    await context.store.operations.complete(operation.id, {})
  } catch (error) {
    context.log('warn', `build ${operation.id} of ${operation.app} stays open`, { code: codeOf(error) })
  }
}

/** Never throws: the caller tells why the build failed. */
async function closeFailedBuild(
  context: Context,
  operation: Operation,
  build: Build,
  error: unknown,
  log: BuildLogWriter,
): Promise<void> {
  const message = error instanceof RackError ? error.message : 'an unexpected failure'
  // The caller gets the error itself.
  for (const line of message.split('\n')) log.write(say(line))
  try {
    await context.store.builds.fail(build.id, message)
    await closeFailed(context, operation, error)
  } catch (failure) {
    context.log('warn', `build ${build.id} of ${build.app} stays open`, { code: codeOf(failure) })
  }
}

function say(text: string): Progress {
  return { type: 'log', text, time: timestamp() }
}

function timestamp(): string {
  return new Date().toISOString()
}

async function* limitBytes(content: AsyncIterable<Uint8Array>, maxBytes: number): AsyncIterable<Uint8Array> {
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) {
      throw new RackError('too-large', `the source is larger than ${Math.round(maxBytes / 2 ** 20)} MiB`, {
        hint: 'List what a build does not need in .dockerignore.',
      })
    }
    yield chunk
  }
}

function sourceKey({ app, id }: Build): string {
  return `sources/${app}/${id}.tar`
}

import { admitExtra } from '../domain/admission.ts'
import { bindsOf } from '../domain/binds.ts'
import type { Build, BuildContent, BuiltImages } from '../domain/build.ts'
import type { Control, Progress } from '../domain/control.ts'
import type { BuildRequest } from '../domain/engine.ts'
import { codeOf, knownError, RackError } from '../domain/error.ts'
import type { Manifest, ManifestSource } from '../domain/manifest.ts'
import type { Operation } from '../domain/operation.ts'
import { buildDeadlineOf } from '../domain/parameter.ts'
import { linksToNowhere } from '../domain/process-environment.ts'
import { buildReservation, type Capacity } from '../domain/rack.ts'
import { releaseOfBuild } from '../domain/release.ts'
import { unseenText, unseenVariables } from '../domain/unseen-variables.ts'
import { together } from '../lib/together.ts'
import type { ReadOptions } from '../manifest/load-tree.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { problemLine } from '../manifest/report.ts'
import type { BuildLogWriter } from './build-logs.ts'
import type { Context } from './context.ts'
import { createMissingApp } from './create-app.ts'
import { findApp } from './find.ts'
import { bindLines, readBoundSource } from './bound-source.ts'
import { imageRequests } from './image-requests.ts'
import { closeFailed } from './journal/carry-out.ts'
import { refuseComing, startBuild } from './journal/start-operation.ts'
import { say, uploadOrigin, type BuildInput, type InputOrigin } from './build-input.ts'
import { findKeptSource, keepSource, type Source } from './kept-sources.ts'
import type { BuildResult, BuildUpload } from './operations.ts'
import { manifestError } from './read-release.ts'

/**
 * Makes the images of one upload and a release of them. What is said meanwhile is reported and kept as the build's log.
 * The upload ends with the caller; the build itself does not.
 */
export async function buildApp(
  context: Context,
  app: string,
  upload: BuildUpload,
  control: Control,
): Promise<BuildResult> {
  if (upload.create) await createMissingApp(context, app, control)
  await findApp(context, app)
  // Known before there is a build: the whole source can be sent then.
  if (upload.base !== undefined) await findKeptSource(context, app, upload.base)
  const making = { origin: uploadOrigin(context, upload), noCache: upload.noCache }
  return await beginBuild(context, app, upload.description, making, control)
}

/** How a build is made, and of what. */
interface Making {
  origin: InputOrigin
  noCache: boolean
}

/** Opens the rows of a build, and settles with it. @throws busy while the app comes from elsewhere */
export async function beginBuild(
  context: Context,
  app: string,
  description: string | null,
  making: Making,
  control: Control,
): Promise<BuildResult> {
  return await startBuild(context, app, control, async () => {
    await refuseComing(context, app)
    const build = await context.store.builds.create(app, description)
    const intent = { build: build.id }
    const operation = await context.store.operations.begin(app, 'build', context.caller.name, intent)
    return {
      operation,
      work: (signal) => carryOutBuild(context, { build, operation, ...making }, control, signal),
    }
  })
}

interface Started extends Making {
  build: Build
  operation: Operation
}

async function carryOutBuild(
  context: Context,
  started: Started,
  caller: Control,
  signal: AbortSignal,
): Promise<BuildResult> {
  const { running, buildLogs } = context
  const { build, operation, origin, noCache } = started
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
    const whole = { signal: AbortSignal.any([signal, caller.signal]), report }
    await origin.take(build, whole)
    const input = { noCache, open: async () => await origin.open(build, { signal, report }) }
    const made = await makeRelease(context, build, input, { signal, report })
    const ended = context.now()
    const ms = ended.getTime() - began.getTime()
    report({ type: 'phase', phase: 'build', state: 'ended', ms, time: ended.toISOString() })
    await clearUp(context, started, log)
    await closeComplete(context, operation)
    return made
  } catch (error) {
    // A daemon that stops leaves the row open; the next start closes it.
    if (running.isInterrupted()) await clearUp(context, started, log)
    else await closeFailedBuild(context, started, error, log)
    throw error
  }
}

/**
 * To be called before the row is closed: a closed row is what says that nothing is left to do. What stays all the same
 * is swept later; that is no reason to call a build failed.
 */
async function clearUp(
  context: Context,
  { build, origin }: Pick<Started, 'build' | 'origin'>,
  log: BuildLogWriter,
): Promise<void> {
  await log.close()
  try {
    await origin.leave(build)
  } catch (error) {
    context.log('warn', `the source of ${build.id} stays`, {
      code: codeOf(error),
    })
  }
}

async function makeRelease(
  context: Context,
  build: Build,
  { noCache, open }: Pick<Started, 'noCache'> & { open: () => Promise<BuildInput> },
  control: Control,
): Promise<BuildResult> {
  const { store } = context
  const { app } = build
  await store.builds.start(build.id)
  const newest = await store.releases.newest(app)
  const environment = newest ? await store.releases.environment(app, newest.id) : {}
  const { manifest: sent, content: uploaded } = await open()
  const { manifest: source, content } = await readBoundSource(
    context,
    { app, environment, manifest: sent, source: () => uploaded.open() },
    control,
  )
  const reading = { environment, app, features: context.engine.features, policy: context.policy.current() }
  const manifest = checkManifest(source, reading, control)
  const request: BuildRequest = {
    app,
    build: build.id,
    images: imageRequests(manifest, content),
    source: () => uploaded.open(),
    logins: await store.registries.logins(),
    environment,
    noCache,
    deadlineMs: buildDeadlineOf(await store.parameters.get('builds.deadline')),
  }
  const make = async () => {
    const ask = (capacity: Capacity) => admitExtra('build', buildReservation, 1, capacity)
    using _room = await context.admission.admit(app, `a build of ${app}`, ask, control)
    return await context.images.whileMaking(control.signal, async () => {
      const made = await makeContent(context, request, { app, content: uploaded, manifest: source }, control)
      refuseLinksToNowhere(manifest, made.images)
      const recorded = { ...made, images: withBinds(made.images, manifest) }
      return await store.releases.appendOfBuild(build.id, recorded, (history) =>
        releaseOfBuild(history, build.id, build.description),
      )
    })
  }
  // One after the other: those of an app that wait hold no room of the rack.
  const onWait = () => control.report(say(`waiting for another build of ${app}`))
  const release = await context.turns.run(`${app}/images`, control.signal, make, onWait)
  return { build: build.id, release: release.id }
}

/** A promote that reads the file differently asks for another build. */
function withBinds(images: BuiltImages, { processes }: Manifest): BuiltImages {
  const binds = new Map(processes.map(({ name, mounts }) => [name, bindsOf(mounts)]))
  return Object.fromEntries(
    Object.entries(images).map(([type, image]) => {
      const own = binds.get(type) ?? []
      return [type, own.length === 0 ? image : { ...image, binds: own }]
    }),
  )
}

/** Makes the images, and keeps the source meanwhile. */
async function makeContent(
  context: Context,
  request: BuildRequest,
  source: Source,
  control: Control,
): Promise<BuildContent> {
  let images: BuiltImages = {}
  let known: Pick<BuildContent, 'kept' | 'beside'> = { kept: null, beside: null }
  await together(control.signal, [
    async (signal) => {
      images = await context.engine.build(request, { ...control, signal })
    },
    async (signal) => {
      known = await keepSource(context, source, { ...control, signal })
    },
  ])
  return { source: source.manifest, images, ...known }
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
  if (manifest) {
    const unseen = unseenText(unseenVariables(manifest.processes, options.environment))
    for (const line of [...bindLines(manifest, options.environment), ...unseen]) control.report(say(line))
    return manifest
  }
  throw manifestError(
    problems,
    options.features,
    'Give them a value, then deploy again: rack env set NAME=value',
  )
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
  started: Started,
  error: unknown,
  log: BuildLogWriter,
): Promise<void> {
  const { build, operation } = started
  const { message } = knownError(error)
  // The caller gets the error itself.
  for (const line of message.split('\n')) log.write(say(line))
  try {
    await context.store.builds.fail(build.id, message)
  } catch (failure) {
    context.log('warn', `build ${build.id} of ${build.app} stays open`, { code: codeOf(failure) })
    await clearUp(context, started, log)
    return
  }
  await clearUp(context, started, log)
  await closeFailed(context, operation, error)
}

import type { IncomingMessage } from 'node:http'
import { posix } from 'node:path'
import type { Control } from '../../../domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../../domain/engine.ts'
import { maskText, type Environment } from '../../../domain/environment.ts'
import { RackError } from '../../../domain/error.ts'
import type { BuildSpec } from '../../../domain/manifest.ts'
import { textTar, type BuildContext } from './build-context.ts'
import { buildFailed } from './build-failure.ts'
import { answersOf, needsBuildKit, textsOf } from './build-secrets.ts'
import { createBuildLog, type BuildLog, type FailedStep } from './build-log.ts'
import { openBuildKitSession, type BuildKitSession } from './buildkit-session.ts'
import { decodeStatus } from './buildkit-status.ts'
import { createClassicLog } from './classic-log.ts'
import type { OpenFolder } from './file-sync.ts'
import { compareVersions, type DockerClient, type DockerRequest } from '../client.ts'
import { bareArguments, readInstructions, type Instruction } from './dockerfile.ts'
import type { ImageInspect } from './image-config.ts'
import { readImageStream, type ImageMessage } from './image-stream.ts'
import { buildHeaders } from './registry-logins.ts'
import { findImage } from './images.ts'
import { foreignLabels, labels } from '../labels.ts'

export interface OneBuild {
  docker: DockerClient
  rack: string
  request: BuildRequest
  image: Pick<ImageRequest, 'processes'>
  spec: BuildSpec
  context: BuildContext
  /** The name that the image gets. */
  tag: string
  say: (text: string) => void
}

/**
 * Builds one image by BuildKit, or by the classic builder where the engine has no other; its output is said as it
 * comes. The end of the signal ends the build.
 *
 * @throws build-failed with `details: BuildFailure`; invalid for a key that cannot be used; unsupported; disk-full; cancelled
 */
export async function buildOne(one: OneBuild, control: Control): Promise<ImageInspect> {
  const { docker, context, tag } = one
  const instructions = readInstructions(context.dockerfileText)
  using session = await openSession(one, control)
  const args = buildArguments(one.spec.args, bareArguments(instructions), one.request.environment)
  const query = buildQuery(one, args, session)
  const headers = buildHeaders(one.request.logins ?? [])
  const upload = isSynced(context, session) ? {} : { upload: context.open() }
  const request = { method: 'POST', path: '/build', query, headers, ...upload, deadlineMs: null } as const
  const told = { ...environmentIn(args, one.request.environment), ...textsOf(one.spec) }
  const conceal = (text: string) => maskText(text, told)
  const following = { say: (line: string) => one.say(conceal(line)) }
  const ended = await followBuild(await startBuild(docker, request, control), following, control)
  if (session?.broken() !== undefined) throw session.broken()
  if (ended.error) throw failure(one, instructions, concealed(ended, conceal))
  const built = await findImage(docker, tag, control)
  if (built) return built
  throw new RackError(
    'engine-failed',
    `Docker Engine: the build of ${one.image.processes.join(', ')} made no image`,
  )
}

/** The first in which BuildKit has the limits of a build; before, the classic builder alone has them. */
const versionOfLimits = '1.43'

/** Null for a build by the classic builder: for limits that BuildKit would neglect, or where there is none, as on Windows. */
async function openSession(
  { docker, request, spec, image, context, say }: OneBuild,
  control: Control,
): Promise<BuildKitSession | null> {
  const [type = ''] = image.processes
  const answers = {
    ...answersOf(spec, type),
    logins: request.logins ?? [],
    folders: new Map(context.openWithout ? foldersOf(context, context.openWithout) : []),
  }
  const isLimited = spec.shmBytes !== null || spec.ulimits.length > 0
  if (isLimited && compareVersions(await docker.version(control), versionOfLimits) < 0) {
    needsBuildKit(spec, type)
    say('built by the classic builder: BuildKit of this Docker Engine has no shm_size and no ulimits')
    return null
  }
  try {
    return await openBuildKitSession(docker, answers, control)
  } catch (error) {
    const isUnknown =
      error instanceof RackError && (error.code === 'not-found' || error.code === 'engine-failed')
    if (!isUnknown || control.signal.aborted) throw error
    needsBuildKit(spec, type)
    return null
  }
}

/** As its command line does for Docker: two folders, of which the steps see one. */
function foldersOf(
  { dockerfile, dockerfileText }: BuildContext,
  openWithout: OpenFolder,
): [name: string, open: OpenFolder][] {
  return [
    ['dockerfile', () => textTar(dockerfile, dockerfileText)],
    ['context', openWithout],
  ]
}

/** Whether BuildKit asks for the context instead of being sent a tar, of which steps would see all. */
function isSynced({ openWithout }: BuildContext, session: BuildKitSession | null): boolean {
  return session !== null && openWithout !== undefined
}

function buildQuery(
  { rack, request, spec, context, tag }: OneBuild,
  args: Record<string, string>,
  session: BuildKitSession | null,
) {
  return {
    version: session ? 2 : 1,
    session: session?.id,
    remote: isSynced(context, session) ? 'client-session' : undefined,
    dockerfile: context.dockerfile,
    t: tag,
    target: spec.target ?? undefined,
    buildargs: args,
    networkmode: spec.network ?? undefined,
    extrahosts: spec.extraHosts.map(({ host, address }) => `${host}:${address}`),
    shmsize: spec.shmBytes ?? undefined,
    ulimits:
      spec.ulimits.length === 0
        ? undefined
        : JSON.stringify(
            spec.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
          ),
    // None of ours may name the build: it would make every image a new one, and every copy would be replaced.
    labels: { ...foreignLabels(spec.labels), [labels.rack]: rack, [labels.app]: request.app },
    nocache: request.noCache ? 1 : undefined,
    rm: 1,
    forcerm: 1,
  }
}

/** A bare `ARG`, in the file of compose or in the Dockerfile, takes the app environment's value if it has one. */
export function buildArguments(
  args: BuildSpec['args'],
  bare: string[],
  environment: Environment,
): Record<string, string> {
  const names = new Set([...bare, ...Object.keys(args)])
  const pairs = [...names].map((name) => [name, args[name] ?? environment[name]] as const)
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined))
}

/** What an app's environment has given to a build, whose steps repeat it in their names and print it. */
function environmentIn(args: Record<string, string>, environment: Environment): Environment {
  const given = Object.values(args)
  const isGiven = (value: string) => value !== '' && given.some((arg) => arg.includes(value))
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => isGiven(value)))
}

/** What the engine refuses before it begins is a failed build too, such as a Dockerfile that cannot be read. */
async function startBuild(
  docker: DockerClient,
  request: DockerRequest,
  control: Control,
): Promise<IncomingMessage | string> {
  try {
    return await docker.stream(request, control)
  } catch (error) {
    const isRefused = error instanceof RackError && error.code === 'engine-failed' && hasStatus(error)
    if (!isRefused || control.signal.aborted) throw error
    return error.message.replace(/^Docker Engine: /, '')
  }
}

function hasStatus({ details }: RackError): boolean {
  return typeof details === 'object' && details !== null && 'status' in details
}

interface Ended {
  error: ImageMessage | null
  step: FailedStep | null
}

async function followBuild(
  response: IncomingMessage | string,
  { say }: Pick<OneBuild, 'say'>,
  control: Control,
): Promise<Ended> {
  if (typeof response === 'string') return { error: { error: response }, step: null }
  const modern = createBuildLog()
  const classic = createClassicLog()
  let error: ImageMessage | null = null
  for await (const message of readImageStream(response, 'build', control)) {
    for (const line of linesOf(message, modern, classic.push)) say(line)
    if (message.error !== undefined) error = message
  }
  return { error, step: modern.failed() ?? (error && classic.failed(error)) }
}

function linesOf(message: ImageMessage, modern: BuildLog, classic: (text: string) => string[]): string[] {
  if (message.id === 'moby.buildkit.trace') return modern.push(decodeStatus(String(message.aux)))
  if (message.stream !== undefined) return classic(message.stream)
  // A classic build also pulls its base images.
  return message.status?.startsWith('Status:') ? [message.status] : []
}

function concealed({ error, step }: Ended, conceal: (text: string) => string): Ended {
  return {
    error: error && { ...error, ...(error.error !== undefined && { error: conceal(error.error) }) },
    step: step && { step: conceal(step.step), error: conceal(step.error), tail: step.tail.map(conceal) },
  }
}

function failure(
  { image, request, spec, context }: OneBuild,
  instructions: Instruction[],
  ended: Ended,
): RackError {
  return buildFailed({
    processes: image.processes,
    build: request.build,
    dockerfile: spec.inline === null ? posix.join(spec.context, spec.dockerfile) : null,
    dockerfileText: context.dockerfileText,
    added: context.added,
    instructions,
    message: ended.error?.error ?? '',
    exitCode: ended.error?.errorDetail?.code ?? null,
    step: ended.step,
  })
}

import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import {
  buildTooLong,
  noSettings,
  type BuiltImage,
  type BuiltImages,
  type ImageSettings,
} from '../../src/domain/build.ts'
import type { Control } from '../../src/domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import type { BuildSpec } from '../../src/domain/manifest.ts'
import { abortable, startDeadline } from '../../src/lib/deadline.ts'
import { readTar } from '../../src/lib/tar.ts'

interface SourceFacts {
  /** Dockerfile texts by path. */
  dockerfiles: Map<string, string>
  /** Of every byte of the source. */
  hash: string
}

/**
 * Makes images out of nothing but their Dockerfile: `EXPOSE`, `USER`, `VOLUME` and `ENV LINK_…` are read, and
 * `RUN fail …` fails the build, `RUN sleep …` has no end. An image called `missing…`, or of a registry under `.invalid`, cannot be pulled.
 */
export async function buildInMemory(request: BuildRequest, control: Control): Promise<BuiltImages> {
  const { dockerfiles, hash } = await readSource(request)
  const { app, deadlineMs } = request
  const reason = () => buildTooLong(app, deadlineMs)
  using deadline = startDeadline({ deadlineMs, what: 'a build', signal: control.signal, reason })
  const { signal } = deadline
  const built: BuiltImages = {}
  for (const image of request.images) {
    signal.throwIfAborted()
    const own = { ...control, signal }
    const made = image.build ? await buildOne(image, image.build, dockerfiles, hash, own) : pullOne(image)
    for (const type of image.processes) built[type] = withContent(made, image)
  }
  return built
}

/** Other content makes another image, unless it only fills a volume. */
function withContent(made: BuiltImage, { laid = [] }: ImageRequest): BuiltImage {
  const seen = laid.filter(({ isFilling }) => !isFilling)
  if (seen.length === 0) return made
  const { reference, digest } = bareImage(JSON.stringify([made.digest, seen]))
  return { ...made, reference, digest }
}

async function readSource(request: BuildRequest): Promise<SourceFacts> {
  const wanted = new Set(request.images.flatMap(({ build }) => (build ? [dockerfilePath(build)] : [])))
  const dockerfiles = new Map<string, string>()
  const hash = createHash('sha256')
  for await (const { header, content } of readTar(request.source())) {
    const name = posix.normalize(header.name)
    const bytes = Buffer.concat(await Array.fromAsync(content))
    hash.update(`${name}\0`).update(bytes)
    if (wanted.has(name)) dockerfiles.set(name, bytes.toString())
  }
  return { dockerfiles, hash: hash.digest('hex') }
}

function dockerfilePath({ context, dockerfile }: BuildSpec): string {
  return posix.join(context, dockerfile)
}

async function buildOne(
  image: ImageRequest,
  spec: BuildSpec,
  dockerfiles: Map<string, string>,
  hash: string,
  control: Control,
): Promise<BuiltImage> {
  const [type = ''] = image.processes
  const text = spec.inline ?? dockerfiles.get(dockerfilePath(spec))
  const details = { processes: image.processes, step: null, exitCode: null, tail: [] as string[] }
  if (text === undefined) {
    throw new RackError('build-failed', `${type}: no ${dockerfilePath(spec)} in the source`, { details })
  }
  const steps = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  for (const [index, line] of steps.entries()) {
    const step = `[${index + 1}/${steps.length}] ${line}`
    control.report({ type: 'log', process: type, text: step, time: new Date().toISOString() })
    if (/^RUN sleep\b/.test(line)) await abortable(new Promise<never>(() => undefined), control.signal)
    if (/^RUN fail\b/.test(line)) {
      throw new RackError('build-failed', `${type}: step ${step} failed: exit code 1`, {
        details: { ...details, step, exitCode: 1, tail: [line] },
      })
    }
  }
  return { ...bareImage(JSON.stringify([hash, spec])), ...readDockerfile(steps) }
}

/** Names under `.invalid` are reserved to lead nowhere. */
const unreachable = /^[^/]+\.invalid\//

function pullOne({ image, processes }: ImageRequest): BuiltImage {
  if (image === null || image.startsWith('missing') || unreachable.test(image)) {
    throw new RackError('image-unavailable', `${processes[0]}: ${image ?? 'no image'} cannot be pulled`)
  }
  return bareImage(image)
}

function bareImage(identity: string): BuiltImage {
  // Not the same: whoever takes the one for the other is found.
  const [reference, digest] = ['reference', 'digest'].map((what) => {
    return `sha256:${createHash('sha256').update(`${what} ${identity}`).digest('hex')}`
  }) as [string, string]
  return {
    reference,
    digest,
    exposed: [],
    link: {},
    user: null,
    healthcheck: null,
    volumes: [],
    ...noSettings,
  }
}

function readDockerfile(
  steps: string[],
): Pick<BuiltImage, 'exposed' | 'link' | 'user' | 'volumes' | keyof ImageSettings> {
  const words = steps.map((line) => line.trim().split(/\s+/))
  const all = (verb: string) => words.filter(([first]) => first === verb).flatMap(([, ...rest]) => rest)
  const pairs = all('ENV').map((pair) => pair.split('='))
  return {
    exposed: all('EXPOSE').map((port) => (port.includes('/') ? port : `${port}/tcp`)),
    link: Object.fromEntries(pairs.filter(([name]) => name?.startsWith('LINK_')) as [string, string][]),
    user: all('USER').at(-1) ?? null,
    volumes: all('VOLUME'),
    entrypoint: vectorOf(steps, 'ENTRYPOINT'),
    command: vectorOf(steps, 'CMD'),
    workingDir: all('WORKDIR').at(-1) ?? null,
    stopSignal: all('STOPSIGNAL').at(-1) ?? null,
  }
}

/** The last of its kind: a JSON array, or a line for the shell. */
function vectorOf(steps: string[], verb: string): string[] | null {
  const line = steps.map((step) => step.trim()).findLast((step) => step.startsWith(`${verb} `))
  const text = line?.slice(verb.length).trim()
  if (text === undefined) return null
  return text.startsWith('[') ? (JSON.parse(text) as string[]) : ['/bin/sh', '-c', text]
}

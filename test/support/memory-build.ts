import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { BuiltImage, BuiltImages } from '../../src/domain/build.ts'
import type { Control } from '../../src/domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import type { BuildSpec } from '../../src/domain/manifest.ts'
import { readTar } from '../../src/lib/tar.ts'

interface SourceFacts {
  /** Dockerfile texts by path. */
  dockerfiles: Map<string, string>
  /** Of every byte of the source. */
  hash: string
}

/**
 * Makes images out of nothing but their Dockerfile: `EXPOSE`, `USER`, `VOLUME` and `ENV LINK_…` are read, and
 * `RUN fail …` fails the build. An image called `missing…`, or of a registry under `.invalid`, cannot be pulled.
 */
export async function buildInMemory(request: BuildRequest, control: Control): Promise<BuiltImages> {
  const { dockerfiles, hash } = await readSource(request)
  const built: BuiltImages = {}
  for (const image of request.images) {
    control.signal.throwIfAborted()
    const made = image.build ? buildOne(image, image.build, dockerfiles, hash, control) : pullOne(image)
    for (const process of image.processes) built[process] = made
  }
  return built
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

function buildOne(
  image: ImageRequest,
  spec: BuildSpec,
  dockerfiles: Map<string, string>,
  hash: string,
  control: Control,
): BuiltImage {
  const [process = ''] = image.processes
  const text = spec.inline ?? dockerfiles.get(dockerfilePath(spec))
  const details = { processes: image.processes, step: null, exitCode: null, tail: [] as string[] }
  if (text === undefined) {
    throw new RackError('build-failed', `${process}: no ${dockerfilePath(spec)} in the source`, { details })
  }
  const steps = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  for (const [index, line] of steps.entries()) {
    const step = `[${index + 1}/${steps.length}] ${line}`
    control.report({ type: 'log', process, text: step, time: new Date().toISOString() })
    if (/^RUN fail\b/.test(line)) {
      throw new RackError('build-failed', `${process}: step ${step} failed: exit code 1`, {
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
  const digest = `sha256:${createHash('sha256').update(identity).digest('hex')}`
  return { digest, exposed: [], link: {}, user: null, healthcheck: null, volumes: [] }
}

function readDockerfile(steps: string[]): Pick<BuiltImage, 'exposed' | 'link' | 'user' | 'volumes'> {
  const words = steps.map((line) => line.trim().split(/\s+/))
  const all = (verb: string) => words.filter(([first]) => first === verb).flatMap(([, ...rest]) => rest)
  const pairs = all('ENV').map((pair) => pair.split('='))
  return {
    exposed: all('EXPOSE').map((port) => (port.includes('/') ? port : `${port}/tcp`)),
    link: Object.fromEntries(pairs.filter(([name]) => name?.startsWith('LINK_')) as [string, string][]),
    user: all('USER').at(-1) ?? null,
    volumes: all('VOLUME'),
  }
}

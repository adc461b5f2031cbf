import { posix } from 'node:path'
import { RackError } from '../../../domain/error.ts'
import type { BuildSpec } from '../../../domain/manifest.ts'
import {
  alwaysSent,
  dockerIgnorePaths,
  parseDockerIgnore,
  type DockerIgnore,
} from '../../../lib/dockerignore.ts'
import { tarHead, tarPadding } from '../../../lib/tar-blocks.ts'
import { readTar, rewriteTar } from '../../../lib/tar.ts'

/** Texts of the source that say how to build, by path from the source directory. */
export type BuildTexts = Map<string, string>

/** What is sent to the engine for one image. */
export interface BuildContext {
  /** Path of the Dockerfile inside the context. */
  dockerfile: string
  dockerfileText: string
  /** A fresh tar of the context. */
  open(): AsyncIterable<Uint8Array>
}

type Source = () => AsyncIterable<Uint8Array>

/** A Dockerfile that is not in its context travels under this name: the engine takes one tar. */
const ownDockerfile = '.rack.Dockerfile'

/** A Dockerfile is code that people write. */
const largestTextBytes = 1024 * 1024

/**
 * Reads the Dockerfiles and rules of ignoring of all builds in one pass over the source.
 *
 * @throws too-large for a Dockerfile of more than 1 MiB
 */
export async function readBuildTexts(
  source: Source,
  specs: BuildSpec[],
  signal: AbortSignal,
): Promise<BuildTexts> {
  const wanted = new Set(
    specs.flatMap(({ context, dockerfile, inline }) =>
      inSource(context, inline === null ? alwaysSent(dockerfile) : dockerIgnorePaths(dockerfile)),
    ),
  )
  const texts: BuildTexts = new Map()
  if (wanted.size === 0) return texts
  for await (const { header, content } of readTar(source())) {
    signal.throwIfAborted()
    const name = posix.normalize(header.name)
    if (!wanted.has(name)) continue
    // The engine follows a link inside its context; what the Dockerfile says is then not known here.
    if (header.type === 'symlink') texts.set(name, '')
    if (header.type !== 'file') continue
    if (header.size > largestTextBytes) {
      throw new RackError('too-large', `${name} has ${header.size} bytes`, {
        hint: `A Dockerfile or .dockerignore may have ${largestTextBytes} bytes.`,
      })
    }
    texts.set(name, Buffer.concat(await Array.fromAsync(content)).toString('utf8'))
    if (texts.size === wanted.size) break
  }
  return texts
}

/**
 * Cuts the context of one build out of the source, without what its `.dockerignore` leaves out.
 *
 * @throws build-failed when the Dockerfile is not in the source; invalid for rules that cannot be read
 */
export function contextOf(source: Source, spec: BuildSpec, texts: BuildTexts, process: string): BuildContext {
  const root = posix.join(spec.context, '.')
  const { dockerfile, path, text } = dockerfileOf(spec, root, texts, process)
  const rulesPath = dockerIgnorePaths(spec.dockerfile).find((name) => texts.has(posix.join(root, name)))
  const rules = rulesPath === undefined ? null : readRules(texts, posix.join(root, rulesPath))

  const rename = (name: string): string | null => {
    const full = posix.normalize(name)
    if (full === path) return dockerfile
    const inner = root === '.' ? full : posix.relative(root, full)
    if (inner.startsWith('..') || inner === '' || inner === '.' || inner === './') return null
    if (inner === dockerfile) return null
    return rules?.ignores(inner.replace(/\/$/, '')) ? null : inner
  }
  const open = () => rewriteTar(source(), rename)
  const whole = () => (path === null ? withText(dockerfile, text, open()) : open())
  return { dockerfile, dockerfileText: text, open: whole }
}

interface FoundDockerfile {
  /** In the context. */
  dockerfile: string
  /** In the source; null when the compose file holds it. */
  path: string | null
  text: string
}

function dockerfileOf(spec: BuildSpec, root: string, texts: BuildTexts, process: string): FoundDockerfile {
  if (spec.inline !== null) return { dockerfile: ownDockerfile, path: null, text: spec.inline }
  const path = posix.join(spec.context, spec.dockerfile)
  const text = texts.get(path)
  if (text === undefined) throw noDockerfile(process, path)
  const isInside = root === '.' || path.startsWith(`${root}/`)
  return { dockerfile: isInside ? posix.relative(root, path) : ownDockerfile, path, text }
}

/** The tar with a file before all others. */
async function* withText(
  name: string,
  text: string,
  tar: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const content = Buffer.from(text)
  // A time of its own would make it another file at each build.
  yield tarHead({ name, type: 'file', mode: 0o644, size: content.length, modified: new Date(0) })
  yield content
  yield tarPadding(content.length)
  yield* tar
}

function readRules(texts: BuildTexts, path: string): DockerIgnore {
  try {
    return parseDockerIgnore(texts.get(path) ?? '')
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new RackError('invalid', `${path} has a pattern that cannot be read`, {
      hint: 'Patterns are those of Go’s filepath.Match, with **.',
      cause: error,
    })
  }
}

function noDockerfile(process: string, path: string): RackError {
  return new RackError('build-failed', `${process}: the source has no ${path}`, {
    hint: 'Write one, or name it in the compose file under build.dockerfile; is it excluded from the upload?',
    details: { processes: [process], step: null, line: null, exitCode: null, tail: [] },
  })
}

function inSource(context: string, paths: string[]): string[] {
  return paths.map((path) => posix.join(context, path))
}

import { posix } from 'node:path'
import { RackError } from '../../../domain/error.ts'
import { isFetched } from '../../../domain/git-context.ts'
import type { BuildSpec } from '../../../domain/manifest.ts'
import {
  alwaysSent,
  dockerIgnorePaths,
  parseDockerIgnore,
  type DockerIgnore,
} from '../../../lib/dockerignore.ts'
import { tarEnd, tarHead, tarPadding } from '../../../lib/tar-blocks.ts'
import { noLines, withStages, type AddedLines, type NamedStage } from './named-stages.ts'
import { readTar, rewriteTar } from '../../../lib/tar.ts'

/** Texts of the source that say how to build, by path from the source directory. */
export type BuildTexts = Map<string, string>

/** What is sent to the engine for one image. */
export interface BuildContext {
  /** Path of the Dockerfile inside the context. */
  dockerfile: string
  dockerfileText: string
  /** Lines of it that nobody wrote: of stages that stand for named contexts. */
  added: AddedLines
  /** A fresh tar of the context, for a builder that takes one. */
  open(): AsyncIterable<Uint8Array>
  /** The same without the Dockerfile, where no step may see it; absent where it is a part of the context. */
  openWithout?: () => AsyncIterable<Uint8Array>
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
    specs.flatMap(({ context, dockerfile, inline, contexts }) => [
      ...inSource(context, inline === null ? alwaysSent(dockerfile) : dockerIgnorePaths(dockerfile)),
      ...contexts.flatMap((one) =>
        'folder' in one ? inSource(one.folder, dockerIgnorePaths('Dockerfile')) : [],
      ),
    ]),
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
export function contextOf(
  source: Source,
  spec: BuildSpec,
  texts: BuildTexts,
  type: string,
  stages: NamedStage[] = [],
): BuildContext {
  const root = posix.join(spec.context, '.')
  const written = dockerfileOf(spec, root, texts, type)
  const { text, added } = withStages(written.text, stages, type)
  const { dockerfile, path } = stages.length === 0 ? written : { dockerfile: ownDockerfile, path: null }
  const rules = rulesIn(root, spec.dockerfile, texts)

  const isOutside = dockerfile === ownDockerfile || rules?.ignores(dockerfile) === true
  // What a link says is not known here.
  const isHidden = path === null || (text !== '' && isOutside)
  const rename = (name: string): string | null => {
    const full = posix.normalize(name)
    // What was fetched is one build's alone.
    if (isFetched(full) && !isFetched(root)) return null
    if (full === path) return isHidden ? null : dockerfile
    const inner = root === '.' ? full : posix.relative(root, full)
    if (inner.startsWith('..') || inner === '' || inner === '.' || inner === './') return null
    if (inner === dockerfile) return null
    return rules?.ignores(inner.replace(/\/$/, '')) ? null : inner
  }
  const open = () => rewriteTar(source(), rename)
  const context = { dockerfile, dockerfileText: text, added, open }
  if (!isHidden) return context
  const ownRules = rules?.ignores(rulesName) ? undefined : texts.get(posix.join(root, rulesName))
  const others = (name: string) => (rename(name) === rulesName ? null : rename(name))
  return {
    ...context,
    openWithout: open,
    open: () =>
      withText(
        dockerfile,
        text,
        withText(rulesName, hidingRules(dockerfile, ownRules), rewriteTar(source(), others)),
      ),
  }
}

const rulesName = '.dockerignore'

/**
 * What makes the classic builder take a Dockerfile out of a context once it has read it: rules that name it. It takes out
 * the rules too if they name themselves.
 */
function hidingRules(dockerfile: string, own: string | undefined): string {
  if (own !== undefined && parseDockerIgnore(own).ignores(dockerfile)) return own
  const escaped = dockerfile.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)
  return own === undefined ? `${rulesName}\n${escaped}\n` : `${own.replace(/\n*$/, '\n')}${escaped}\n`
}

/** The context of an image that is a folder of the source, and nothing else. Its stream fails with invalid where there is none. */
export function folderContext(source: Source, folder: string, texts: BuildTexts): BuildContext {
  const root = posix.join(folder, '.')
  const rules = rulesIn(root, 'Dockerfile', texts)
  const text = 'FROM scratch\nCOPY files/ /\n'
  let isThere = false
  const rename = (name: string): string | null => {
    const inner = posix.relative(root, posix.normalize(name))
    isThere ||= !inner.startsWith('..')
    if (inner.startsWith('..') || inner === '' || rules?.ignores(inner)) return null
    return `files/${inner}`
  }
  const open = async function* () {
    yield tarHead({ name: 'files', type: 'directory', mode: 0o755, size: 0, modified: new Date(0) })
    yield* rewriteTar(source(), rename)
    if (!isThere) throw noFolder(folder)
  }
  return {
    dockerfile: 'Dockerfile',
    dockerfileText: text,
    added: noLines,
    open: () => withText('Dockerfile', text, open()),
  }
}

function rulesIn(root: string, dockerfile: string, texts: BuildTexts): DockerIgnore | null {
  const path = dockerIgnorePaths(dockerfile)
    .map((name) => posix.join(root, name))
    .find((name) => texts.has(name))
  return path === undefined ? null : readRules(texts, path)
}

interface FoundDockerfile {
  /** In the context. */
  dockerfile: string
  /** In the source; null when the compose file holds it. */
  path: string | null
  text: string
}

function dockerfileOf(spec: BuildSpec, root: string, texts: BuildTexts, type: string): FoundDockerfile {
  if (spec.inline !== null) return { dockerfile: ownDockerfile, path: null, text: spec.inline }
  const path = posix.join(spec.context, spec.dockerfile)
  const text = texts.get(path)
  if (text === undefined) throw noDockerfile(type, path)
  const isInside = root === '.' || path.startsWith(`${root}/`)
  return { dockerfile: isInside ? posix.relative(root, path) : ownDockerfile, path, text }
}

/** A tar of one file. */
export async function* textTar(name: string, text: string): AsyncGenerator<Uint8Array> {
  yield* withText(name, text, [tarEnd()])
}

/** The tar with a file before all others. */
async function* withText(
  name: string,
  text: string,
  tar: AsyncIterable<Uint8Array> | Uint8Array[],
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

function noDockerfile(type: string, path: string): RackError {
  return new RackError('build-failed', `${type}: the source has no ${path}`, {
    hint: 'Write one, or name it in the compose file under build.dockerfile; is it excluded from the upload?',
    details: { processes: [type], step: null, line: null, exitCode: null, tail: [] },
  })
}

function noFolder(folder: string): RackError {
  return new RackError('invalid', `build.additional_contexts: the source has no folder ${folder}`, {
    hint: 'Write its path from the compose file; is it excluded from the upload?',
  })
}

function inSource(context: string, paths: string[]): string[] {
  return paths.map((path) => posix.join(context, path))
}

import { gitContextOf, hasCredentials, isPinned } from '../../../domain/git-context.ts'
import type { BuildSpec } from '../../../domain/manifest.ts'
import type { ReadOptions } from '../../load-tree.ts'
import type { Advice, Problems } from '../../problems.ts'
import { childOf, needed, shown, type Node } from '../../syntax/tree.ts'
import { fromAbove, baseOf, isRemote, joinInside } from '../../paths.ts'
import { extraHostsOf } from '../relations.ts'
import { bytesOf, pairsOf, textOf } from '../values/values.ts'

const reference =
  /^([A-Za-z0-9][A-Za-z0-9._-]*(:\d+)?\/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$/

/** A build by itself: without what its steps may mount or name, and what the engine may refuse. */
type PlainBuild = Omit<BuildSpec, 'secrets' | 'keys' | 'ulimits' | 'contexts'>

/** How the image is built, from `build:` in both syntaxes and the `dockerfile:` of version 1; null without `build:`. */
export function buildOf(service: Node, problems: Problems): PlainBuild | null {
  const build = childOf(service, 'build')
  const outer = childOf(service, 'dockerfile')
  if (build === undefined || (build.kind === 'scalar' && build.value === null)) {
    if (outer) problems.error(outer, '`dockerfile` stands without `build`', 'write `build: .`')
    return null
  }
  if (build.kind === 'list') {
    problems.error(build, 'expected a path or a mapping, but found a list')
    return null
  }
  const contextNode = build.kind === 'map' ? childOf(build, 'context') : build
  const inner = childOf(build, 'dockerfile')
  if (inner && outer) problems.error(outer, 'the Dockerfile is named twice', 'keep the one under `build:`')
  const inline = inlineOf(childOf(build, 'dockerfile_inline'), inner ?? outer, problems)
  const args = pairsOf(childOf(build, 'args'), problems)
  const labels = pairsOf(childOf(build, 'labels'), problems)
  return {
    ...contextOf(contextNode, build, problems),
    dockerfile: dockerfileOf(inner ?? outer, problems),
    target: textOf(childOf(build, 'target'), problems) || null,
    inline,
    network: networkOf(childOf(build, 'network'), problems),
    extraHosts: extraHostsOf(childOf(build, 'extra_hosts'), problems),
    labels: Object.fromEntries(labels.map(({ name, value }) => [name, value ?? ''])),
    args: Object.fromEntries(args.map(({ name, value }) => [name, value])),
    // Docker reads 0 as its own default.
    shmBytes: bytesOf(childOf(build, 'shm_size'), problems) || null,
  }
}

/** The text of a Dockerfile that stands in the file itself. */
function inlineOf(node: Node | undefined, file: Node | undefined, problems: Problems): string | null {
  const text = textOf(node, problems)
  if (node === undefined || text === null) return null
  if (file) problems.error(file, '`dockerfile` and `dockerfile_inline` are both given', 'keep one of them')
  if (text.trim() === '') problems.error(needed(node), '`dockerfile_inline` is empty', 'write `FROM …`')
  return text
}

/** `none` builds without a network; otherwise a build has the one that the rack gives it. */
function networkOf(node: Node | undefined, problems: Problems): BuildSpec['network'] {
  const text = textOf(node, problems)
  if (node === undefined || text === null || text === '' || text === 'default') return null
  if (text === 'none') return 'none'
  problems.error(
    needed(node),
    `the network ${shown(node)} is refused: a build joins no network of the machine or of an app`,
    'use `none`, or remove it',
  )
  return null
}

type Context = Pick<BuildSpec, 'context' | 'repository'>

function contextOf(node: Node | undefined, build: Node, problems: Problems): Context {
  const text = textOf(node, problems) || '.'
  const at = needed(node ?? build)
  if (isRemote(text)) return repositoryOf(text, at, problems)
  const context = joinInside(baseOf(at), text)
  if (context === null)
    problems.error(
      at,
      'the context lies outside of the source directory',
      `use a path below the compose file${fromAbove(at, text)}`,
    )
  return { context: context ?? '.' }
}

/** The command line fetches it, so that no key of anybody's has to be on the rack. */
function repositoryOf(text: string, at: Node, problems: Problems): Context {
  const repository = gitContextOf(text)
  const context = repository && joinInside(repository.place, repository.folder)
  const refuse = (message: string, hint: string): Context => {
    problems.error(at, message, hint)
    return { context: '.' }
  }
  if (repository && hasCredentials(repository))
    return refuse(
      'the address has a credential, which would be in every copy of the file',
      'leave it out: git of the machine that deploys fetches it, by its own keys',
    )
  if (!repository || context === null || !`${context}/`.startsWith(`${repository.place}/`))
    return refuse(
      `${shown(at)} is no repository of git`,
      'write URL.git#REF:FOLDER, or put the source into the directory',
    )
  if (!isPinned(repository))
    problems.warn(
      at,
      `${shown(at)} is fetched at each build by git of the machine that deploys, and may be another source each time`,
      'name a commit for the same one: URL#COMMIT',
    )
  return { context, repository: text }
}

function dockerfileOf(node: Node | undefined, problems: Problems): string {
  const text = textOf(node, problems) || 'Dockerfile'
  const path = joinInside('.', text)
  if (node && path === null) {
    problems.error(
      needed(node),
      `${shown(node)} lies outside of the build context`,
      'use a path below the context',
    )
  }
  return path ?? 'Dockerfile'
}

/** Whether a text may name an image. */
export function isImageName(text: string): boolean {
  return text.length < 512 && reference.test(text)
}

/** No registry has names with capitals; a tag may have some. */
function lowerCase(text: string): Advice {
  const hint = 'write "name:tag", all in lower case'
  const [name = ''] = /^(?:[^/]*\/)*[^:@]*/.exec(text) ?? []
  const to = `${name.toLowerCase()}${text.slice(name.length)}`
  return isImageName(to) ? { hint, fix: { change: 'respell', from: text, to } } : hint
}

/** The image to pull, or the app's own name for what is built; null when the file names none. */
export function imageOf(
  node: Node | undefined,
  { isBeforeBuild = false }: Pick<ReadOptions, 'isBeforeBuild'>,
  problems: Problems,
): string | null {
  const text = textOf(node, problems)
  if (node === undefined || text === null) return null
  if (isImageName(text)) return text
  if (node.isIncomplete)
    problems.variable(
      node,
      isBeforeBuild ? 'warning' : 'error',
      `the build needs the name of the image, and ${shown(node)} lacks a value`,
      'give the app one before the build: rack env set NAME=…',
    )
  else problems.error(node, `${shown(node)} is not the name of an image`, lowerCase(text))
  return null
}

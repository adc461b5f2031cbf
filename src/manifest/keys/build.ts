import type { BuildSpec } from '../../domain/manifest.ts'
import type { Problems } from '../problems.ts'
import { childOf, needed, shown, type Node } from '../syntax/tree.ts'
import { baseOf, isRemote, joinInside } from '../paths.ts'
import { extraHostsOf } from './relations.ts'
import { pairsOf, textOf } from './values/values.ts'

const reference =
  /^([A-Za-z0-9][A-Za-z0-9._-]*(:\d+)?\/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$/

/** How the image is built, from `build:` in both syntaxes and the `dockerfile:` of version 1; null without `build:`. */
export function buildOf(service: Node, problems: Problems): BuildSpec | null {
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
    context: contextOf(contextNode, build, problems),
    dockerfile: dockerfileOf(inner ?? outer, problems),
    target: textOf(childOf(build, 'target'), problems) || null,
    inline,
    network: networkOf(childOf(build, 'network'), problems),
    extraHosts: extraHostsOf(childOf(build, 'extra_hosts'), problems),
    labels: Object.fromEntries(labels.map(({ name, value }) => [name, value ?? ''])),
    args: Object.fromEntries(args.map(({ name, value }) => [name, value])),
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
    `the network ${shown(node)} is refused: a build reaches no network of the machine or of an app`,
    'use `none`, or remove it',
  )
  return null
}

function contextOf(node: Node | undefined, build: Node, problems: Problems): string {
  const text = textOf(node, problems) || '.'
  const at = needed(node ?? build)
  if (isRemote(text)) {
    problems.error(
      at,
      'a build from a URL is refused: not supported by this version',
      'put the source into the directory',
    )
    return '.'
  }
  const context = joinInside(baseOf(at), text)
  if (context === null)
    problems.error(
      at,
      'the context lies outside of the source directory',
      'use a path below the compose file',
    )
  return context ?? '.'
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

/** The image to pull, or the tag of what is built; null when the file names none. */
export function imageOf(node: Node | undefined, problems: Problems): string | null {
  const text = textOf(node, problems)
  if (node === undefined || text === null) return null
  if (text.length < 512 && reference.test(text)) return text
  if (node.isIncomplete)
    problems.variable(
      node,
      'error',
      `the build needs the name of the image, and ${shown(node)} lacks a value`,
    )
  else
    problems.error(node, `${shown(node)} is not the name of an image`, 'write "name:tag", all in lower case')
  return null
}

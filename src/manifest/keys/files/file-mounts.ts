import type { FileMount } from '../../../domain/container.ts'
import type { EngineFeatures } from '../../../domain/features.ts'
import { didYouMean } from '../../nearest.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shown, shownPart, type Node } from '../../syntax/tree.ts'
import { modeOf } from '../values/file-mode.ts'
import type { Placed } from '../relations.ts'
import { integerOf, itemsOf, textOf } from '../values/values.ts'
import { normalisedPath } from '../../paths.ts'
import {
  contentOf,
  declaredBelow,
  type ContentContext,
  type DeclaredFiles,
  type FileKind,
} from './declared-files.ts'

export interface FileContext extends ContentContext {
  configs: DeclaredFiles
  secrets: DeclaredFiles
  features: EngineFeatures
}

/** Where a target that is not absolute lies. */
const directories: Record<FileKind, string> = { config: '/', secret: '/run/secrets/' }
const readableByAll = 0o444
/** More than any process has. */
const mostFiles = 100

/** The files that `configs:` and `secrets:` of a process put into it, in both syntaxes. */
export function fileMountsOf(service: Node, context: FileContext): Placed<FileMount>[] {
  const files = new Map<string, Placed<FileMount>>()
  for (const kind of ['config', 'secret'] as const) {
    for (const at of itemsOf(childOf(service, `${kind}s`), context.problems)) {
      for (const file of fileMountsAt(kind, at, context)) {
        if (files.has(file.path))
          context.problems.error(
            at,
            `two files have the path ${shownPart(childOf(at, 'target') ?? at, file.path)}`,
            'give one of them another `target`',
          )
        else if (files.size >= mostFiles)
          context.problems.error(at, `a process has at most ${mostFiles} configs and secrets`)
        else files.set(file.path, { value: file, at })
      }
    }
  }
  return [...files.values()]
}

/** One file, or each of a folder. */
function fileMountsAt(kind: FileKind, at: Node, context: FileContext): FileMount[] {
  const { problems } = context
  const sourceNode = at.kind === 'map' ? childOf(at, 'source') : at
  const name = textOf(sourceNode, problems)
  if (!sourceNode || !name) {
    problems.error(at, `a ${kind} needs its name`, 'write `source: NAME`')
    return []
  }
  const target = targetOf(kind, name, at, problems)
  const id = { min: 0, max: 2 ** 31 - 1 }
  const uid = integerOf(childOf(at, 'uid'), id, problems) ?? 0
  const gid = integerOf(childOf(at, 'gid'), id, problems) ?? 0
  const mode = modeOf(childOf(at, 'mode'), problems) ?? readableByAll
  const known = context[`${kind}s`]
  const declared = known.get(name)
  if (!declared) {
    problems.error(sourceNode, `the ${kind} ${shownPart(sourceNode, name)} is not declared`, () =>
      didYouMean(name, known.keys(), `declare it under \`${kind}s:\` at the end of the file`),
    )
    return []
  }
  const below = declaredBelow(declared, context)
  if (target !== null && below.length > 0) {
    return below.flatMap(({ inner, file }) => {
      const found = contentOf(file, context)
      const path = `${target}/${inner}`
      return found === null ? [] : [{ kind, name: file.name, path, ...found, mode, uid, gid }]
    })
  }
  const found = contentOf(declared, context)
  const { valueLength } = context.features
  if (kind === 'secret' && valueLength !== true && (found?.content.length ?? 0) > valueLength.most)
    problems.error(
      at,
      `the secret ${shownPart(sourceNode, name)} is too long: ${valueLength.why}`,
      valueLength.instead,
    )
  return found === null || target === null ? [] : [{ kind, name, path: target, ...found, mode, uid, gid }]
}

function targetOf(kind: FileKind, name: string, at: Node, problems: Problems): string | null {
  const node = childOf(at, 'target')
  const text = textOf(node, problems) ?? name
  const path = normalisedPath(text.startsWith('/') ? text : `${directories[kind]}${text}`)
  if (path === null || text.endsWith('/'))
    problems.error(
      node ?? at,
      `${shown(node ?? at)} is not the path of a file`,
      'write "/etc/app/config.yml"',
    )
  return path
}

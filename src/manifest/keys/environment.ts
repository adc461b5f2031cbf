import type { Variable } from '../../domain/manifest.ts'
import { rackVariableNames } from '../../domain/process-environment.ts'
import type { ReadOptions } from '../load-tree.ts'
import type { Problems } from '../problems.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import { childOf, shownPart, type Node } from '../syntax/tree.ts'
import type { VariableFiles } from './files/variable-files.ts'
import { fromAbove, baseOf, joinInside } from '../paths.ts'
import { booleanOf, itemsOf, pairsOf, textOf } from './values/values.ts'

/** A file that `env_file:` names; `path` is relative to the source directory. */
export interface EnvFile {
  path: string
  isRequired: boolean
  isRaw: boolean
  at: Node
}

/** The files of `env_file:`, in both syntaxes. */
export function envFilesOf(node: Node | undefined, problems: Problems): EnvFile[] {
  return itemsOf(node, problems, true).flatMap((item): EnvFile[] => {
    const pathNode = item.kind === 'map' ? childOf(item, 'path') : item
    const text = textOf(pathNode, problems)
    if (!text) {
      problems.error(item, 'a file of variables needs a path')
      return []
    }
    const path = joinInside(baseOf(item), text)
    if (path === null) {
      problems.error(
        pathNode ?? item,
        'the file lies outside of the source directory',
        `use a path below the compose file${fromAbove(item, text)}`,
      )
      return []
    }
    const isRequired = booleanOf(childOf(item, 'required'), problems) ?? true
    const format = childOf(item, 'format')
    const isRaw = textOf(format, problems) === 'raw'
    if (format && !isRaw) problems.error(format, 'the only format is `raw`', 'leave it out')
    return [{ path, isRequired, isRaw, at: pathNode ?? item }]
  })
}

/** What variables come from. */
export interface EnvironmentContext {
  variableFiles: VariableFiles
  lookup: Lookup
  options: ReadOptions
  problems: Problems
}

/** Variables of `env_file:` and above them `environment:`, sorted by name; a null value is required of the app. */
export function environmentOf(service: Node, context: EnvironmentContext): Variable[] {
  const { lookup, options, problems } = context
  const pairs = pairsOf(childOf(service, 'environment'), problems)
  const own = new Map(pairs.map(({ name, value }) => [name, value]))
  const values = new Map<string, string | null>()
  const known: Lookup = (name) => lookup(name) ?? own.get(name) ?? undefined
  // A name alone is the app's to give, and below that `.env`'s.
  const valueInDotenv = (name: string) =>
    Object.hasOwn(options.environment, name) ? null : (lookup(name) ?? null)
  const { valueLength } = options.features
  const put = (name: string, value: string | null, at: Node) => {
    if (valueLength !== true && (value?.length ?? 0) > valueLength.most)
      problems.error(
        at,
        `the value of ${shownPart(at, name)} is too long: ${valueLength.why}`,
        valueLength.instead,
      )
    if (isRacks(name))
      problems.warn(at, `${name} is set by the rack; this value is never seen`, 'choose another name')
    else values.set(name, value)
  }
  const filesAt = childOf(service, 'env_file') ?? service
  for (const [name, value] of readFiles(service, known, context)) put(name, value, filesAt)
  for (const { name, value, at } of pairs) {
    if (name === '' || /[\s=\0]/.test(name)) problems.error(at, 'a variable needs a name without spaces')
    else put(name, value ?? valueInDotenv(name), at)
  }
  const variables = [...values].map(([name, value]) => ({ name, value }))
  return variables.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `PORT` is only the rack's where the type has one, so a value for it stands. */
function isRacks(name: string): boolean {
  return name !== 'PORT' && (rackVariableNames as readonly string[]).includes(name)
}

/** A file may name what stands in the process itself, and in the files before it. */
function readFiles(
  service: Node,
  lookup: Lookup,
  { variableFiles, problems }: EnvironmentContext,
): Map<string, string> {
  const all = new Map<string, string>()
  for (const { path, isRequired, isRaw, at } of envFilesOf(childOf(service, 'env_file'), problems)) {
    const whenMissing = isRequired ? 'add `required: false` if it may be absent' : null
    const values = variableFiles.read({ path, at, lookup, isRaw, before: all, whenMissing })
    for (const [name, value] of values) all.set(name, value)
  }
  return all
}

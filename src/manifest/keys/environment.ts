import type { ManifestSource, Variable } from '../../domain/manifest.ts'
import { rackVariableNames } from '../../domain/plan.ts'
import type { Problems } from '../problems.ts'
import { parseDotenv } from '../syntax/dotenv.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import { childOf, shownPart, type Node } from '../syntax/tree.ts'
import { baseOf, joinInside } from './values/paths.ts'
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
        'use a path below the compose file',
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

/** Variables of `env_file:` and above them `environment:`, sorted by name; a null value is required of the app. */
export function environmentOf(
  service: Node,
  source: ManifestSource,
  lookup: Lookup,
  problems: Problems,
): Variable[] {
  const values = new Map<string, string | null>()
  for (const file of envFilesOf(childOf(service, 'env_file'), problems))
    readFile(file, values, source, lookup, problems)
  for (const { name, value, at } of pairsOf(childOf(service, 'environment'), problems)) {
    if (name === '' || /[\s=\0]/.test(name)) problems.error(at, 'a variable needs a name without spaces')
    else if (isRacks(name))
      problems.warn(at, `${name} is set by the rack; this value is never seen`, 'choose another name')
    else values.set(name, value)
  }
  const variables = [...values].map(([name, value]) => ({ name, value }))
  return variables.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `PORT` is only the rack's where the type has one, so a value for it stands. */
function isRacks(name: string): boolean {
  return name !== 'PORT' && (rackVariableNames as readonly string[]).includes(name)
}

function readFile(
  file: EnvFile,
  values: Map<string, string | null>,
  source: ManifestSource,
  lookup: Lookup,
  problems: Problems,
): void {
  const text = Object.hasOwn(source.texts, file.path) ? source.texts[file.path] : undefined
  if (text === undefined) {
    if (file.isRequired)
      problems.error(
        file.at,
        `the file ${shownPart(file.at, file.path)} does not exist`,
        'add `required: false` if it may be absent',
      )
    return
  }
  const read = parseDotenv(text, lookup, file.isRaw)
  for (const { line, message } of read.faults) {
    const position = { file: file.path, line, column: 1 }
    problems.error({ path: file.at.path, position }, message)
  }
  for (const [name, value] of read.values) values.set(name, value)
}

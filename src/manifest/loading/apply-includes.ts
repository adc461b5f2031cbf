import { baseOf, directoryOf, isRemote, joinInside } from '../paths.ts'
import { itemsOf, textOf } from '../keys/values/values.ts'
import { mergeTrees } from '../syntax/merge-trees.ts'
import { childOf, isSame, needed, shown, type Entry, type MapNode, type Node } from '../syntax/tree.ts'
import type { Shaped } from '../syntax/shape.ts'
import type { ComposeFile } from './judge.ts'
import { furtherText, mayRepeat, whereFrom, type Loading, type LoadScope } from './loading.ts'
import { includedLookup } from './lookups.ts'

/** More files than any app is made of; bounds files that include each other twice and twice again. */
const mostFiles = 100

/** Entries in one file, those that are named again included. */
const mostIncludes = 500

/** What an included file brings along. */
const sections = ['services', 'volumes', 'networks', 'secrets', 'configs']

/** One entry of `include:`. */
interface Include {
  at: Node
  /** Files that are merged, at least one. */
  paths: string[]
  base: string
  envFiles: string[]
  /** False for the `.env` that is read where none is named: it may be absent. */
  hasOwnEnvFiles: boolean
}

/** How and amid what included files are read. */
interface Including {
  scope: LoadScope
  loading: Loading
  loadFile: (file: ComposeFile, scope: LoadScope, loading: Loading) => Shaped | null
}

/** Adds what the files under `include` hold; null when one of them cannot be read. */
export function applyIncludes(root: MapNode, including: Including): MapNode | null {
  const { loading } = including
  const node = root.entries.get('include')?.value
  const entries = new Map([...root.entries].filter(([name]) => name !== 'include'))
  const loaded = new Set<string>()
  let isWhole = true
  const items = itemsOf(node, loading.problems, true)
  if (node && items.length > mostIncludes) {
    loading.problems.error(node, `a file has at most ${mostIncludes} includes`)
    return null
  }
  for (const at of items) {
    if (loading.filesRead > mostFiles) return null
    const include = readInclude(at, loading)
    const key = include && JSON.stringify([include.paths, include.base, include.envFiles])
    // The same again brings nothing new.
    if (key !== null && loaded.has(key)) continue
    const model = include && loadIncluded(include, including)
    if (key !== null) loaded.add(key)
    if (model) addModel(entries, model, at, loading)
    else isWhole = false
  }
  return isWhole ? { ...root, entries } : null
}

function loadIncluded(include: Include, { scope, loading, loadFile }: Including): MapNode | null {
  const { lookup, within } = scope
  const { at, paths, base, envFiles, hasOwnEnvFiles } = include
  const { problems } = loading
  const inner = includedLookup(lookup, include, loading)
  for (const path of hasOwnEnvFiles ? envFiles : []) {
    if (furtherText(loading, path) === undefined)
      problems.error(
        at,
        `the file ${JSON.stringify(path)} does not exist`,
        'create it, or remove it from `env_file`',
      )
  }
  const roots = paths.map((path) => {
    const from = within.indexOf(path)
    if (from >= 0) {
      const loop = [...within.slice(from), path].join(' → ')
      problems.error(at, `these files include each other: ${loop}`, 'remove one include')
      return null
    }
    loading.filesRead += 1
    if (loading.filesRead > mostFiles) {
      problems.error(at, `an app is made of at most ${mostFiles} files`)
      return null
    }
    const text = furtherText(loading, path)
    if (text === undefined) {
      problems.error(at, `the file ${JSON.stringify(path)} does not exist`, whereFrom(at))
      return null
    }
    const known = loading.shaped.get(path)
    if (known && !mayRepeat(known.root, at, loading)) return null
    return loadFile({ path, text }, { lookup: inner, base, within: [...within, path] }, loading)
  })
  const usable = roots.flatMap((shaped) => (shaped ? [shaped.root] : []))
  return usable.length === paths.length ? mergeTrees(usable) : null
}

/** Reads both syntaxes; null after saying what is wrong. */
function readInclude(node: Node, loading: Loading): Include | null {
  const at = needed(node)
  const pathNode = at.kind === 'map' ? childOf(at, 'path') : at
  const paths = pathsOf(pathNode, loading)
  const [first] = paths ?? []
  if (!paths || first === undefined) {
    if (paths) loading.problems.error(at, '`include` needs the path of a compose file')
    return null
  }
  const directory = childOf(at, 'project_directory')
  const [base = directoryOf(first)] = pathsOf(directory, loading) ?? []
  const envNode = childOf(at, 'env_file')
  const envFiles = envNode ? pathsOf(envNode, loading) : [joinInside(base, '.env') ?? '.env']
  return envFiles && { at, paths, base, envFiles, hasOwnEnvFiles: envNode !== undefined }
}

/** Paths from the source directory; null when one of them is not in it. */
function pathsOf(node: Node | undefined, { problems }: Loading): string[] | null {
  let isWhole = true
  const paths = itemsOf(node, problems, true).flatMap((given) => {
    const item = needed(given)
    const text = textOf(item, problems)
    if (!text) return []
    const path = isRemote(text) ? null : joinInside(baseOf(item), text)
    if (path !== null) return [path]
    isWhole = false
    const why = isRemote(text)
      ? `is refused: nothing is fetched from elsewhere while a file is read`
      : 'lies outside of the source directory'
    problems.error(item, `${shown(item)} ${why}`, 'copy the file into the source directory')
    return []
  })
  return isWhole ? paths : null
}

/** The same entry twice, as when two files include a third, is one; two that differ are a clash. */
function addModel(entries: Map<string, Entry>, model: MapNode, at: Node, { problems }: Loading): void {
  for (const section of sections) {
    const added = model.entries.get(section)
    if (added?.value.kind !== 'map') continue
    const present = entries.get(section)
    const own = present?.value.kind === 'map' ? present.value.entries : new Map<string, Entry>()
    const both = new Map(own)
    for (const [name, entry] of added.value.entries) {
      const before = own.get(name)
      if (!before) both.set(name, entry)
      else if (!isSame(before.value, entry.value))
        problems.error(at, clash(section, name, before, entry), advice)
    }
    entries.set(section, { key: present?.key ?? added.key, value: { ...added.value, entries: both } })
  }
}

const advice = 'give one of them another name, or change it in a file of its own that is merged: -f FILE'

function clash(section: string, name: string, before: Entry, entry: Entry): string {
  const placeOf = ({ key: { position } }: Entry) => `${position.file}:${position.line}`
  return `"${name}" of \`${section}\` stands at ${placeOf(before)} and, differently, at ${placeOf(entry)}`
}

import type { ManifestSource } from '../../../domain/manifest.ts'
import type { Problems } from '../../problems.ts'
import { parseDotenv } from '../../syntax/dotenv.ts'
import type { Lookup } from '../../syntax/interpolate.ts'
import {
  childOf,
  shownPart,
  type Entry,
  type MapNode,
  type Node,
  type ScalarNode,
} from '../../syntax/tree.ts'
import { pairsOf } from '../values/values.ts'
import { labelFilesOf, type NamedFile } from './named-files.ts'

interface Texts {
  source: ManifestSource
  lookup: Lookup
  problems: Problems
}

/** The process with the labels of its `label_file:` written under `labels:`, where the file's own win. */
export function withLabelFiles(service: MapNode, texts: Texts): MapNode {
  const files = labelFilesOf(service, texts.problems)
  if (files.length === 0) return service
  const own = childOf(service, 'labels')
  const labels = new Map<string, ScalarNode>()
  for (const file of files) for (const label of readFile(file, texts)) labels.set(label.source, label)
  for (const { name } of pairsOf(own, texts.problems)) labels.delete(name)
  const place = own ?? files[0]?.at ?? service
  const entry: Entry = { key: place, value: merged(own, [...labels.values()], place) }
  return { ...service, entries: new Map(service.entries).set('labels', entry) }
}

/** Each label as an item `name=value` that is shown by its name alone, since the value may hold a variable. */
function readFile({ path, at }: NamedFile, { source, lookup, problems }: Texts): ScalarNode[] {
  const text = Object.hasOwn(source.texts, path) ? source.texts[path] : undefined
  if (text === undefined) {
    problems.error(at, `the file ${shownPart(at, path)} does not exist`, 'create it, or remove `label_file`')
    return []
  }
  const read = parseDotenv(text, lookup)
  for (const { line, message } of read.faults)
    problems.error({ path: at.path, position: { file: path, line, column: 1 } }, message)
  return [...read.values].map(([name, value]) => ({
    kind: 'scalar',
    path: at.path,
    position: at.position,
    value: `${name}=${value}`,
    source: name,
    isQuoted: true,
  }))
}

/** Labels of a file join a list as items, and a mapping as entries. */
function merged(own: Node | undefined, labels: ScalarNode[], { path, position }: Node): Node {
  if (own?.kind !== 'map') {
    const items = own?.kind === 'list' ? own.items : []
    return { kind: 'list', path, position, items: [...labels, ...items] }
  }
  const entries = labels.map((label): [string, Entry] => {
    const value = String(label.value).slice(label.source.length + 1)
    // The key is the label itself: what is said about it shows the source, never the value.
    return [label.source, { key: label, value: { ...label, value } }]
  })
  return { ...own, entries: new Map([...entries, ...own.entries]) }
}

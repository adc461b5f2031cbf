import type { Problems } from '../../problems.ts'
import type { Lookup } from '../../syntax/interpolate.ts'
import { childOf, type Entry, type MapNode, type Node, type ScalarNode } from '../../syntax/tree.ts'
import { pairsOf } from '../values/values.ts'
import { labelFilesOf, type NamedFile } from './named-files.ts'
import type { VariableFiles } from './variable-files.ts'

interface LabelContext {
  variableFiles: VariableFiles
  lookup: Lookup
  problems: Problems
}

/** The process with the labels of its `label_file:` written under `labels:`, where the file's own win. */
export function withLabelFiles(service: MapNode, context: LabelContext): MapNode {
  const files = labelFilesOf(service, context.problems)
  if (files.length === 0) return service
  const own = childOf(service, 'labels')
  const labels = new Map<string, ScalarNode>()
  for (const file of files) for (const label of readFile(file, context)) labels.set(label.source, label)
  for (const { name } of pairsOf(own, context.problems)) labels.delete(name)
  const place = own ?? files[0]?.at ?? service
  const entry: Entry = { key: place, value: merged(own, [...labels.values()], place) }
  return { ...service, entries: new Map(service.entries).set('labels', entry) }
}

/** Each label as an item `name=value` that is shown by its name alone, since the value may hold a variable. */
function readFile({ path, at }: NamedFile, { variableFiles, lookup }: LabelContext): ScalarNode[] {
  const whenMissing = 'create it, or remove `label_file`'
  const values = variableFiles.read({ path, at, lookup, whenMissing })
  return [...values].map(([name, value]) => ({
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

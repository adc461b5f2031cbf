import type { Entry, ListNode, MapNode, Node, ScalarNode } from './tree.ts'

/** A later file's value takes the place of the earlier one's, lists included. */
const replaced = new Set(['command', 'entrypoint', 'healthcheck.test'])
/** Lists of `NAME=value` that are mappings in disguise. */
const pairs = new Set(['environment', 'labels', 'build.args'])
/** Lists of names that are mappings in disguise. */
const names = new Set(['depends_on'])
/** What makes two items of a list the same one. */
const identities: Record<string, (item: Node) => string> = { volumes: mountPathOf, ports: portOf }

/** Merges files by the rules of the Compose Specification: mappings deeply, lists by key, the later file wins. */
export function mergeTrees(roots: MapNode[]): MapNode {
  const [first, ...later] = roots
  if (!first) throw new Error('there is no file to merge')
  return later.reduce((base, over) => mergeMaps(base, over, []), first)
}

function mergeMaps(base: MapNode, over: MapNode, path: string[]): MapNode {
  const entries = new Map(base.entries)
  for (const [name, entry] of over.entries) {
    const before = entries.get(name)
    const value = before ? mergeNodes(before.value, entry.value, [...path, name]) : entry.value
    if (entry.value.tag === '!reset') entries.delete(name)
    else entries.set(name, { key: entry.key, value })
  }
  return { ...base, entries }
}

function mergeNodes(base: Node, over: Node, path: string[]): Node {
  if (over.tag === '!override') return over
  if (over.kind === 'scalar' && over.value === null) return base
  const rule = path[0] === 'services' ? path.slice(2).join('.') : ''
  if (replaced.has(rule)) return over
  const [first, second] = [canonical(base, rule), canonical(over, rule)]
  if (first.kind === 'map' && second.kind === 'map') return mergeMaps(first, second, path)
  if (first.kind === 'list' && second.kind === 'list')
    return mergeLists(first, second, identities[rule] ?? textKey)
  return second
}

/** The long form of what a key may say in short. */
function canonical(node: Node, rule: string): Node {
  if (rule === 'build' && node.kind === 'scalar') return mapOf(node, [['context', node, node]])
  if (pairs.has(rule) && node.kind === 'list') return mapOf(node, node.items.flatMap(pairEntry))
  if (names.has(rule) && node.kind === 'list') return mapOf(node, node.items.flatMap(nameEntry))
  const mayBeSingle = rule === 'env_file' || rule === 'tmpfs'
  if (mayBeSingle && node.kind !== 'list') return { ...placeOf(node), kind: 'list', items: [node] }
  return node
}

type Triple = [name: string, key: Node, value: Node]

function mapOf(node: Node, triples: Triple[]): MapNode {
  const entries = new Map(
    triples.map(([name, key, value]): [string, Entry] => [name, { key: placeOf(key), value }]),
  )
  return { ...placeOf(node), kind: 'map', entries }
}

function pairEntry(item: Node): Triple[] {
  if (item.kind !== 'scalar' || item.value === null) return []
  const text = typeof item.value === 'string' ? item.value : item.source
  const equals = text.indexOf('=')
  const value = equals < 0 ? null : text.slice(equals + 1)
  const name = equals < 0 ? text : text.slice(0, equals)
  return [[name, item, { ...item, value, isQuoted: true }]]
}

function nameEntry(item: Node): Triple[] {
  if (item.kind !== 'scalar' || typeof item.value !== 'string') return []
  return [[item.value, item, { ...placeOf(item), kind: 'map', entries: new Map() }]]
}

function mergeLists(base: ListNode, over: ListNode, keyOf: (item: Node) => string): ListNode {
  const items = new Map([...base.items, ...over.items].map((item) => [keyOf(item), item]))
  return { ...base, items: [...items.values()] }
}

function textKey(item: Node): string {
  if (item.kind === 'scalar') return `text ${String(item.value)}`
  const path = item.kind === 'map' ? item.entries.get('path')?.value : undefined
  return path ? textKey(path) : `place ${JSON.stringify(item.position)}`
}

function mountPathOf(item: Node): string {
  const target = item.kind === 'map' ? item.entries.get('target')?.value : undefined
  if (target) return textKey(target)
  if (item.kind !== 'scalar') return textKey(item)
  const [first, second] = String(item.value).split(':')
  return `text ${second ?? first}`
}

function portOf(item: Node): string {
  if (item.kind !== 'map') return textKey(item)
  const read = (name: string) => {
    const value = item.entries.get(name)?.value
    return value?.kind === 'scalar' ? String(value.value ?? '') : ''
  }
  const published = read('published')
  return `text ${published === '' ? '' : `${published}:`}${read('target')}`
}

function placeOf(node: Node): Pick<ScalarNode, 'path' | 'position' | 'isIncomplete'> {
  const { path, position } = node
  return { path, position, ...(node.isIncomplete ? { isIncomplete: true } : {}) }
}

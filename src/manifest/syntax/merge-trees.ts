import { itemKey, mergeRules, type MergeRule } from './merge-rules.ts'
import { childOf, isSame, type Entry, type ListNode, type MapNode, type Node } from './tree.ts'

/**
 * Merges files by the rules of the Compose Specification: mappings deeply, lists by item, the later file wins. What
 * `!reset` takes away stays in the tree as such until `withoutResets`, so that files may be merged in any grouping.
 */
export function mergeTrees(roots: MapNode[]): MapNode {
  const [first, ...later] = roots
  if (!first) throw new Error('there is no file to merge')
  return later.reduce((base, over) => mergeMaps(base, over, []), first)
}

/** Leaves out what a `!reset` takes away. */
export function withoutResets<T extends Node>(node: T): T {
  return pruned(node) as T
}

function pruned(node: Node): Node {
  if (node.kind === 'scalar') return node
  if (node.kind === 'list') {
    return { ...node, items: node.items.filter(({ tag }) => tag !== '!reset').map(pruned) }
  }
  const entries = new Map<string, Entry>()
  for (const [name, entry] of node.entries) {
    if (entry.value.tag !== '!reset') entries.set(name, { ...entry, value: pruned(entry.value) })
  }
  return { ...node, entries }
}

function mergeMaps(base: MapNode, over: MapNode, path: string[]): MapNode {
  const entries = new Map(base.entries)
  for (const [name, entry] of over.entries) {
    const before = entries.get(name)
    const value = before ? mergeNodes(before.value, entry.value, [...path, name]) : entry.value
    entries.set(name, { key: entry.key, value })
  }
  return { ...base, entries }
}

function mergeNodes(base: Node, over: Node, path: string[]): Node {
  if (over.tag) return over
  const rule = ruleOf(path)
  if (over.kind === 'scalar' && over.value === null) return rule.isReplaced ? over : base
  // What was taken away is no longer there to be merged with, for an earlier file neither.
  if (base.tag === '!reset') return { ...over, tag: '!override' }
  // Nothing to merge with: the long form would leave out what is no item, and the reader could not tell of it.
  if (base.tag === undefined && base.kind === 'scalar' && base.value === null) return over
  const merged = mergeByRule(base, over, { rule, path })
  return base.tag === '!override' && merged.tag === undefined ? { ...merged, tag: base.tag } : merged
}

function mergeByRule(base: Node, over: Node, { rule, path }: { rule: MergeRule; path: string[] }): Node {
  if (rule.isReplaced) return over
  const expand = rule.expand ?? ((node: Node) => node)
  const [first, second] = [expand(base), expand(over)]
  if (first.kind === 'map' && second.kind === 'map') {
    if (rule.areValuesReplaced) return { ...first, entries: new Map([...first.entries, ...second.entries]) }
    return differ(first, second, rule.unlessSame) ? second : mergeMaps(first, second, path)
  }
  if (first.kind === 'list' && second.kind === 'list') return mergeLists(first, second, rule.keyOf ?? itemKey)
  // Another kind of value leaves nothing to merge with, for an earlier file neither.
  return first.kind === second.kind ? second : { ...second, tag: '!override' }
}

/** Keys below a process alone have rules of their own. */
function ruleOf([section, , ...keys]: string[]): MergeRule {
  if (section !== 'services' || keys.length === 0) return {}
  const path = keys.join('.')
  if (Object.hasOwn(mergeRules, path)) return mergeRules[path] ?? {}
  const any = [...keys.slice(0, -1), '*'].join('.')
  return (Object.hasOwn(mergeRules, any) ? mergeRules[any] : undefined) ?? {}
}

function differ(first: MapNode, second: MapNode, key: string | undefined): boolean {
  if (key === undefined) return false
  const [one, other] = [childOf(first, key), childOf(second, key)]
  return one !== undefined && other !== undefined && !isSame(one, other)
}

function mergeLists(base: ListNode, over: ListNode, keyOf: (item: Node) => string): ListNode {
  const items = new Map([...base.items, ...over.items].map((item) => [keyOf(item), item]))
  return { ...base, items: [...items.values()] }
}

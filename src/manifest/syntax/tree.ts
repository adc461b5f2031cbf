import type { Place } from '../problems.ts'

/** A compose file with a position on every value; aliases and merge keys are already resolved. */
export type Node = ScalarNode | ListNode | MapNode

export interface ScalarNode extends Place {
  kind: 'scalar'
  value: string | number | boolean | null
  /** As written in the file, before variables: safe to show. */
  source: string
  isQuoted: boolean
  tag?: MergeTag
}

export interface ListNode extends Place {
  kind: 'list'
  items: Node[]
  tag?: MergeTag
}

export interface MapNode extends Place {
  kind: 'map'
  entries: Map<string, Entry>
  tag?: MergeTag
}

export interface Entry {
  /** Where the key is written. */
  key: Place
  value: Node
}

/** What a later file says of an earlier one's value. */
export type MergeTag = '!reset' | '!override'

/** The value under a key of a mapping, or undefined. */
export function childOf(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined
}

/** A key as a value of its own, to point at and to be named in messages. */
export function keyNode(name: string, key: Place): ScalarNode {
  return { kind: 'scalar', value: name, source: name, isQuoted: false, ...key }
}

/** For what cannot wait for a value that comes later: what is wrong with it is an error, though it is incomplete. */
export function needed<T extends Node>(node: T): T {
  return { ...node, isIncomplete: false }
}

/** The same value, with relative paths that start at `base`. */
export function withBase<T extends Node>(node: T, base: string): T {
  return rebased(node, base) as T
}

function rebased(node: Node, base: string): Node {
  if (node.kind === 'scalar') return { ...node, base }
  if (node.kind === 'list') return { ...node, base, items: node.items.map((item) => rebased(item, base)) }
  const entries = [...node.entries].map(([name, { key, value }]): [string, Entry] => {
    return [name, { key: { ...key, base }, value: rebased(value, base) }]
  })
  return { ...node, base, entries: new Map(entries) }
}

/** Whether two values say the same, wherever they stand. */
export function isSame(one: Node, other: Node): boolean {
  if (one.kind === 'scalar') return other.kind === 'scalar' && one.value === other.value
  if (one.kind === 'list') {
    if (other.kind !== 'list' || one.items.length !== other.items.length) return false
    return one.items.every((item, index) => isSame(item, other.items[index]!))
  }
  if (other.kind !== 'map' || one.entries.size !== other.entries.size) return false
  return [...one.entries].every(([name, { value }]) => {
    const match = other.entries.get(name)
    return match !== undefined && isSame(value, match.value)
  })
}

/** What aliases, `extends` and `include` may repeat, weighed, before an app counts as a bomb. */
export const mostRepeated = 8_000

/** What a value costs to read again: one, and more for a long text. */
export function weightOf(node: Node): number {
  if (node.kind === 'scalar') return weightOfText(node.source)
  if (node.kind === 'list') return node.items.reduce((sum, item) => sum + weightOf(item), 1)
  let sum = 1
  for (const [name, { value }] of node.entries) sum += weightOfText(name) - 1 + weightOf(value)
  return sum
}

export function weightOfText(text: string): number {
  return 1 + Math.floor(text.length / 64)
}

/** True for a value that says nothing: null, an empty list or an empty mapping. */
export function isEmpty(node: Node): boolean {
  if (node.kind === 'scalar') return node.value === null
  return node.kind === 'list' ? node.items.length === 0 : node.entries.size === 0
}

/** How a part of a value is named in a message: by the whole text of the file where a variable had its hand in it. */
export function shownPart(node: Node, part: string): string {
  const isFilled = node.kind !== 'scalar' || (typeof node.value === 'string' && node.value !== node.source)
  return isFilled ? shown(node) : JSON.stringify(part)
}

/** How a value is named in a message; never the value of a variable. */
export function shown(node: Node): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a mapping'
  if (node.value === null) return 'nothing'
  const text = node.source.length > 60 ? `${node.source.slice(0, 57)}…` : node.source
  return JSON.stringify(text)
}

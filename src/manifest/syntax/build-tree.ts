import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Scalar,
  type Alias,
  type Document,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Position } from '../../domain/manifest.ts'
import type { Place, Problems } from '../problems.ts'
import { removal } from '../fix/fix.ts'
import { didYouMean } from '../nearest.ts'
import { resolveAliases } from './resolve-aliases.ts'
import {
  isSame,
  mostRepeated,
  weightOfText,
  type Entry,
  type ListNode,
  type MapNode,
  type MergeTag,
  type Node,
  type ScalarNode,
} from './tree.ts'

/** Deeper than any compose file. */
const deepest = 40

/** What a tree is built with. */
export interface TreeContext {
  positionOf: (offset: number) => Position
  problems: Problems
}

interface Context extends TreeContext {
  targets: Map<Alias, unknown>
  /** The weight of what was made inside aliases so far. */
  repeated: number
  hasOverflowed: boolean
}

/** Where a value is, what is above it, and whether an alias led there. */
interface Where {
  path: string
  depth: number
  isAliased: boolean
  /** Set on the value of a merge key: the items of a list there are not steps of the path. */
  isMerge?: boolean
  /** Stands for a value that has no text of its own. */
  parent: Position
}

/** Turns the library's document into our tree: aliases followed, merge keys applied, duplicate keys reported. */
export function buildTree(document: Document, given: TreeContext): Node | null {
  const { positionOf, problems } = given
  const root: Where = { path: '', depth: 0, isAliased: false, parent: positionOf(0) }
  const targets = resolveAliases(document.contents, positionOf, problems)
  if (targets === null) return null
  const context: Context = { ...given, targets, repeated: 0, hasOverflowed: false }
  const tree = build(document.contents, root, context)
  return context.hasOverflowed ? null : tree
}

function build(node: unknown, where: Where, context: Context): Node {
  const place = placeOf(node, where, context)
  if (!admits(node, place, where, context)) return nothing(place)
  if (isAlias(node))
    return build(context.targets.get(node), { ...where, depth: where.depth + 1, isAliased: true }, context)
  if (isMap(node)) return buildMap(node, place, where, context)
  if (isSeq(node)) return buildList(node, place, where, context)
  if (isScalar(node)) {
    // What an alias stands for is told where it is written.
    if (!where.isAliased && !isBytes.test(place.path)) refuseNul(node.value, place, context)
    return buildScalar(node, place, context)
  }
  return nothing(place)
}

/** Counts what aliases add; false once the tree has grown or sunk too far, which is said once. */
function admits(node: unknown, place: Place, where: Where, context: Context): boolean {
  if (context.hasOverflowed) return false
  if (where.isAliased) context.repeated += isScalar(node) ? weightOfText(node.source ?? '') : 1
  const reason =
    where.depth > deepest
      ? 'the file is nested too deeply'
      : 'the aliases of the file expand to too many values'
  if (where.depth <= deepest && context.repeated <= mostRepeated) return true
  context.hasOverflowed = true
  context.problems.error(place, reason)
  return false
}

/** The content of a file, which may be any. */
const isBytes = /^configs\..+\.content$/

/** To programs it is the end of a text: none of the variables, arguments, labels and names can have one. */
function refuseNul(value: unknown, place: Place, { problems }: Context): void {
  if (typeof value === 'string' && value.includes('\0'))
    problems.error(place, 'a text cannot hold a NUL byte (`\\0`)', 'remove it')
}

function buildScalar(node: Scalar, place: Place, context: Context): ScalarNode {
  const isQuoted = node.type !== Scalar.PLAIN
  const { value } = node
  const isKnown =
    value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'
  const source = isQuoted && typeof value === 'string' ? value : (node.source ?? '')
  return {
    kind: 'scalar',
    ...place,
    value: isKnown ? value : source,
    source,
    isQuoted,
    ...tagOf(node.tag, place, context),
  }
}

function buildList(node: YAMLSeq, place: Place, where: Where, context: Context): ListNode {
  const depth = where.depth + 1
  const items = node.items.map((item, index) =>
    build(
      item,
      {
        ...where,
        depth,
        path: where.isMerge ? where.path : `${where.path}[${index}]`,
        parent: place.position,
      },
      context,
    ),
  )
  return { kind: 'list', ...place, items, ...tagOf(node.tag, place, context) }
}

function buildMap(node: YAMLMap, place: Place, where: Where, context: Context): MapNode {
  const entries = new Map<string, Entry>()
  const merged: Node[] = []
  for (const { key, value } of node.items) {
    const name = nameOf(key)
    const keyPlace = placeOf(key, where, context)
    if (name === null) {
      context.problems.error(keyPlace, 'a key must be text')
      continue
    }
    if (!where.isAliased) refuseNul(name, keyPlace, context)
    const path = where.path === '' ? name : `${where.path}.${name}`
    const below: Where = { ...where, isMerge: false, depth: where.depth + 1, path, parent: keyPlace.position }
    if (name === '<<' && isScalar(key) && key.type === Scalar.PLAIN) {
      merged.push(build(value, { ...below, path: where.path, isMerge: true }, context))
    } else if (entries.has(name)) {
      sayTwice(name, { key: { ...keyPlace, path }, value: build(value, below, context) }, entries, context)
    } else {
      entries.set(name, { key: { ...keyPlace, path }, value: build(value, below, context) })
    }
  }
  for (const other of merged) mergeInto(entries, other, context)
  return { kind: 'map', ...place, entries, ...tagOf(node.tag, place, context) }
}

/** Of two that say the same it is known which may go. */
function sayTwice(
  name: string,
  { key, value }: Entry,
  before: Map<string, Entry>,
  { problems }: Context,
): void {
  const other = before.get(name)
  const hint = 'keep one of them'
  const isRepeated = other !== undefined && isSame(other.value, value)
  problems.error(key, `the key "${name}" is given twice`, isRepeated ? { hint, fix: removal } : hint)
}

/** The mapping's own keys win over merged ones, and an earlier merge over a later. */
function mergeInto(entries: Map<string, Entry>, other: Node, { problems }: Context): void {
  const sources = other.kind === 'list' ? other.items : [other]
  for (const source of sources) {
    if (source.kind !== 'map') {
      problems.error(source, 'a merge key `<<` needs a mapping, or a list of mappings', 'write `<<: *NAME`')
      continue
    }
    for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry)
  }
}

function nameOf(key: unknown): string | null {
  if (!isScalar(key) || key.value === null) return null
  return typeof key.value === 'string' ? key.value : (key.source ?? null)
}

function placeOf(node: unknown, where: Where, { positionOf }: Context): Place {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : null
  const position = range ? positionOf(range[0]) : where.parent
  return { path: where.path, position }
}

/** A tag that nobody knows is passed over, as Compose does, but may well be one of ours misspelt. */
function tagOf(tag: string | undefined, place: Place, { problems }: Context): { tag?: MergeTag } {
  if (tag === '!reset' || tag === '!override') return { tag }
  if (tag?.startsWith('!') && tag !== '!') {
    const hint = () => didYouMean(tag, ['!reset', '!override'], 'remove it')
    problems.warn(place, `the tag ${tag.slice(0, 60)} means nothing here`, hint)
  }
  return {}
}

function nothing(place: Place): ScalarNode {
  return { kind: 'scalar', ...place, value: null, source: '', isQuoted: false }
}

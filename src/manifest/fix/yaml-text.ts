import {
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Position } from '../../domain/manifest.ts'

/** A text of YAML whose parts are found by where they stand, so that it is changed in its places alone. */
export interface YamlText {
  text: string
  root: unknown
  /** How lines end. */
  newline: '\n' | '\r\n'
  offsetOf: (position: Position) => number
}

/** A part of a text, and what stands there instead. */
export interface Edit {
  start: number
  end: number
  text: string
}

/** An entry of a mapping, or an item of a list, and what is around it, from the outside in. */
export type Spot = { around: Spot[] } & (
  | { kind: 'entry'; pair: Pair; parent: YAMLMap; key: string }
  | { kind: 'item'; index: number; parent: YAMLSeq }
)

const options = {
  uniqueKeys: false,
  merge: false,
  schema: 'core',
  resolveKnownTags: false,
  logLevel: 'silent',
} as const

/** Null for what cannot be read. */
export function readYamlText(text: string): YamlText | null {
  const document: Document.Parsed = parseDocument(text, options)
  if (document.errors.length > 0 || !isCollection(document.contents)) return null
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return {
    text,
    root: document.contents,
    newline: text.includes('\r\n') ? '\r\n' : '\n',
    offsetOf: ({ line, column }) => (starts[line - 1] ?? text.length) + column - 1,
  }
}

/** What stands at a position; of several that begin there, the one that the last step of the path names. */
export function findSpot({ root, offsetOf }: YamlText, position: Position, path: string): Spot | null {
  const offset = offsetOf(position)
  const found = spotsAt(root, offset, [])
  return found.find((spot) => isNamedBy(spot, path)) ?? null
}

function isNamedBy(spot: Spot, path: string): boolean {
  if (spot.kind === 'item') return path.endsWith(']')
  return path === spot.key || path.endsWith(`.${spot.key}`)
}

function spotsAt(node: unknown, offset: number, around: Spot[]): Spot[] {
  if (isSeq(node))
    return node.items.flatMap((item, index) => {
      const spot: Spot = { kind: 'item', index, parent: node, around }
      const here = startOf(item) === offset ? [spot] : []
      return [...here, ...(reaches(item, offset) ? spotsAt(item, offset, [...around, spot]) : [])]
    })
  if (!isMap(node)) return []
  return node.items.flatMap((pair) => {
    const key = isScalar(pair.key) ? nameOf(pair.key) : ''
    const spot: Spot = { kind: 'entry', pair, parent: node, key, around }
    const isHere = startOf(pair.key) === offset || startOf(pair.value) === offset
    const below = reaches(pair.value, offset) ? spotsAt(pair.value, offset, [...around, spot]) : []
    return [...(isHere ? [spot] : []), ...below]
  })
}

function nameOf({ value, source }: Scalar): string {
  return typeof value === 'string' ? value : (source ?? '')
}

function reaches(node: unknown, offset: number): boolean {
  const range = rangeOf(node)
  return range !== null && range[0] <= offset && offset <= range[2]
}

function rangeOf(node: unknown): [number, number, number] | null {
  return typeof node === 'object' && node !== null && 'range' in node
    ? ((node.range as [number, number, number] | null | undefined) ?? null)
    : null
}

/** Where a value begins; undefined for one that is not written. */
export function startOf(node: unknown): number | undefined {
  return rangeOf(node)?.[0]
}

/** Where a value ends, without what follows on its line. */
export function endOf(node: unknown): number | undefined {
  if (isCollection(node) && !node.flow) {
    const last = node.items.at(-1)
    const end = isPair(last) ? (endOf(last.value) ?? endOf(last.key)) : endOf(last)
    return end ?? rangeOf(node)?.[1]
  }
  return rangeOf(node)?.[1]
}

/** Where the line of an offset begins. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Behind the line of an offset, its end included. */
export function lineEnd(text: string, offset: number): number {
  // What ends with its line is not followed by the next one.
  if (offset > 0 && text[offset - 1] === '\n') return offset
  const end = text.indexOf('\n', offset)
  return end < 0 ? text.length : end + 1
}

/** Spaces before the first letter of the line. */
export function indentOf(text: string, offset: number): number {
  return offset - lineStart(text, offset)
}

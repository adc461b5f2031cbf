import { parseBytes, parseDuration } from '../../../lib/sizes.ts'
import type { Problems } from '../../problems.ts'
import { isDate, printedNumber } from './plain-numbers.ts'
import {
  keyNode,
  shown,
  type Entry,
  type ListNode,
  type MapNode,
  type Node,
  type ScalarNode,
} from '../../syntax/tree.ts'

/** The text of a value, or null when there is none; a list or mapping is an error. */
export function textOf(node: Node | undefined, problems: Problems, hint?: string): string | null {
  if (node === undefined) return null
  if (node.kind !== 'scalar') {
    problems.error(node, `expected text, but found ${shown(node)}`, hint ?? 'write one value')
    return null
  }
  return scalarText(node)
}

/** The text of a scalar as the file has it; null for null. */
export function scalarText(node: ScalarNode): string | null {
  if (node.value === null) return null
  return typeof node.value === 'string' ? node.value : node.source
}

/** The text of a value that is a number to Compose, as Compose reads it: `010` is 8, with a warning. Null for null. */
export function numberTextOf(node: Node | undefined, problems: Problems): string | null {
  const text = textOf(node, problems)
  if (node?.kind !== 'scalar' || text === null) return text
  const printed = plainNumberOf(node)
  if (printed === null || printed === text || Number(printed) === decimalValue(text)) return text
  const number = printed.includes('e') ? String(Number(printed)) : printed
  problems.warn(node, `${shown(node)} is read as ${number}`, `write ${number}, if that is meant`)
  return number
}

/** A number as Compose prints it; null for text, which a value with a tag or a variable is too. */
function plainNumberOf({ value, source, isQuoted }: ScalarNode): string | null {
  const mayBeNumber = typeof value === 'number' || /^[-+]?(0b|[\d.]+_)/i.test(source)
  return isQuoted || !mayBeNumber ? null : printedNumber(source)
}

/** What anybody reads: no octal numbers. */
function decimalValue(text: string): number {
  return /^[+-]?(0|[1-9]\d*)?(\.\d*)?$/.test(text) ? Number(text) : Number.NaN
}

/** A whole number within the range, or null after saying why not. */
export function integerOf(
  node: Node | undefined,
  range: { min: number; max: number },
  problems: Problems,
): number | null {
  const text = numberTextOf(node, problems)
  if (node === undefined || text === null) return null
  const number = /^[+-]?\d{1,15}(\.0*)?$/.test(text.trim()) ? Number(text) : Number.NaN
  if (number >= range.min && number <= range.max) return number
  problems.error(node, `${shown(node)} is not a whole number from ${range.min} to ${range.max}`)
  return null
}

/** A decimal number that is not negative, or null after saying why not. */
export function decimalOf(node: Node | undefined, problems: Problems): number | null {
  const text = numberTextOf(node, problems)
  if (node === undefined || text === null) return null
  if (/^\d{0,9}(\.\d{0,9})?$/.test(text.trim()) && /\d/.test(text)) return Number(text)
  const isNegative = /^-[\d.]+$/.test(text.trim())
  problems.error(node, `${shown(node)} is ${isNegative ? 'negative' : 'not a number'}`, 'write 0.5 for half')
  return null
}

/** True or false; the words of YAML 1.1 are read with a warning. Null when there is no value. */
export function booleanOf(node: Node | undefined, problems: Problems): boolean | null {
  const text = textOf(node, problems)?.toLowerCase() ?? null
  if (node === undefined || text === null) return null
  if (text === 'true' || text === 'false') return text === 'true'
  const isYes = ['yes', 'on', 'y', '1'].includes(text)
  if (!isYes && !['no', 'off', 'n', '0'].includes(text)) {
    problems.error(node, `${shown(node)} is neither true nor false`, 'write true or false')
    return null
  }
  problems.warn(node, `${shown(node)} is read as ${isYes}`, {
    hint: `write ${isYes}`,
    fix: { change: 'write', text: String(isYes) },
  })
  return isYes
}

const longestDurationMs = 365 * 86_400_000

/** A duration such as `1m30s` in milliseconds; a bare number is seconds, with a warning. */
export function durationMsOf(node: Node | undefined, problems: Problems): number | null {
  const text = textOf(node, problems)?.trim() ?? null
  if (node === undefined || text === null) return null
  if (/^\d{1,9}$/.test(text)) {
    if (text !== '0')
      problems.warn(node, `${shown(node)} is read as seconds`, {
        hint: `write "${text}s"`,
        fix: { change: 'write', text: `${text}s` },
      })
    return Number(text) * 1000
  }
  const total = parseDuration(text)
  if (total !== null && total <= longestDurationMs) return Math.round(total)
  problems.error(node, `${shown(node)} is not a duration`, 'write "90s", "1m30s" or "500ms"')
  return null
}

/** A size such as `256m` in bytes; the units are powers of 1024. */
export function bytesOf(node: Node | undefined, problems: Problems): number | null {
  const text = numberTextOf(node, problems)?.trim() ?? null
  if (node === undefined || text === null) return null
  const bytes = parseBytes(text)
  if (bytes !== null) return bytes
  const isNegative = /^-[\d.]+ ?[kmgtp]?(i?b)?$/i.test(text)
  problems.error(node, `${shown(node)} is ${isNegative ? 'negative' : 'not a size'}`, 'write "256m" or "1g"')
  return null
}

/** The items of a list; a single value is a list of one where `isSingleAllowed`. */
export function itemsOf(node: Node | undefined, problems: Problems, isSingleAllowed = false): Node[] {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return []
  if (node.kind === 'list') return node.items
  if (isSingleAllowed && node.kind === 'scalar') return [node]
  problems.error(
    node,
    `expected a list, but found ${shown(node)}`,
    node.kind === 'scalar' ? 'write it as `- value`' : 'write each item on a line of its own: `- value`',
  )
  return []
}

/** The entries of a mapping, or nothing after saying why. */
export function entriesOf(node: Node | undefined, problems: Problems): [string, Entry][] {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return []
  if (node.kind === 'map') return [...node.entries]
  problems.error(
    node,
    `expected a mapping, but found ${shown(node)}`,
    'write each entry on a line of its own: `name: value`',
  )
  return []
}

/** One `NAME=value` pair of a list, or `NAME: value` of a mapping. */
export interface Pair {
  name: string
  value: string | null
  /** The value as it is written, before variables: safe to show. */
  source: string
  /** Where to point for the pair. */
  at: ScalarNode | MapNode | ListNode
}

/** Reads both syntaxes of variables, labels and arguments; a name without a value has null. */
export function pairsOf(node: Node | undefined, problems: Problems): Pair[] {
  if (node?.kind !== 'list') {
    return entriesOf(node, problems).map(([name, { key, value }]) => {
      const at = { ...keyNode(name, key), ...incomplete(value) }
      const written = value.kind === 'scalar' ? value.source : ''
      return { name, value: valueText(value, problems), source: written, at }
    })
  }
  return node.items.flatMap((item): Pair[] => {
    const text = textOf(item, problems, 'write "- NAME=value", or "NAME: value" without the dash')
    if (text === null) return []
    const equals = text.indexOf('=')
    if (equals < 0) return [{ name: text, value: null, source: '', at: item }]
    const written = item.kind === 'scalar' ? item.source : ''
    const source = written.slice(written.indexOf('=') + 1)
    return [{ name: text.slice(0, equals), value: text.slice(equals + 1), source, at: item }]
  })
}

function incomplete(node: Node): { isIncomplete?: true } {
  return node.isIncomplete ? { isIncomplete: true } : {}
}

/** A number is written as Compose writes it, with a warning where that is not what the file shows. */
function valueText(node: Node, problems: Problems): string | null {
  const text = textOf(node, problems)
  if (node.kind !== 'scalar' || node.isQuoted) return text
  const { source, value } = node
  const advice = `quote it: "${source}"`
  if (value === null) {
    if (source !== '') problems.warn(node, `${source} is read as no value`, advice)
    return null
  }
  if (isDate(source)) problems.warn(node, `${source} is a date, which Compose writes in another form`, advice)
  const printed = typeof value === 'boolean' ? String(value) : (plainNumberOf(node) ?? source)
  if (printed !== source) {
    const kind = typeof value === 'boolean' ? '' : 'the number '
    problems.warn(node, `${source} is read as ${kind}${printed}`, advice)
  }
  return printed
}

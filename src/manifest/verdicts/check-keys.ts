import type { Position } from '../../domain/manifest.ts'
import { didYouMean } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { isEmpty, type Entry, type MapNode, type Node } from '../syntax/tree.ts'
import type { KeyRule, RuleNode, Verdict } from './verdict.ts'

/** A key of the file and what became of it. */
export interface Ruling {
  path: string
  position: Position
  verdict: Verdict
  why: string
  into?: string
}

/** More than anybody reads. */
const mostRulings = 5000

export interface KeyCheck {
  problems: Problems
  rulings: Ruling[]
  /** The text of a value with its variables filled in. */
  fill: (text: string) => string
}

const extension: KeyRule = { verdict: 'ignored', why: 'an extension', isQuiet: true }

/** Gives every key its verdict, and returns the tree without those that nothing comes of. */
export function checkKeys<T extends Node>(node: T, level: RuleNode, check: KeyCheck): T {
  if (node.kind === 'scalar') return node
  if (node.kind === 'list') {
    const itemLevel = level.keys.get('[]')
    return itemLevel ? { ...node, items: node.items.map((item) => checkKeys(item, itemLevel, check)) } : node
  }
  if (level.keys.size === 0 || (level.keys.size === 1 && level.keys.has('[]'))) return node
  return checkMap(node, level, check) as T
}

function checkMap(node: MapNode, level: RuleNode, check: KeyCheck): MapNode {
  const entries = new Map<string, Entry>()
  for (const [name, entry] of node.entries) {
    const next = level.keys.get(name === '*' || name === '[]' ? '' : name) ?? level.keys.get('*')
    if (!next?.rule) {
      rejectUnknown(name, entry, level, check)
      continue
    }
    rule(entry, next.rule, check)
    const value = checkKeys(entry.value, next, check)
    const isUsed = next.rule.verdict === 'honoured' || next.rule.verdict === 'translated'
    if (isUsed) entries.set(name, { ...entry, value })
  }
  return { ...node, entries }
}

function rejectUnknown(name: string, entry: Entry, level: RuleNode, check: KeyCheck): void {
  if (name.startsWith('x-')) return record(entry, extension, check)
  const known = [...level.keys.keys()].filter((key) => key !== '[]')
  check.problems.error(entry.key, `unknown key "${name}"`, () =>
    didYouMean(name, known, 'remove it; a key for other programs starts with `x-`'),
  )
}

function rule(entry: Entry, verdict: KeyRule, check: KeyCheck): void {
  const { problems } = check
  const name = entry.key.path.split('.').at(-1) ?? ''
  const isHarmless = isEmpty(entry.value) || asksForNothing(entry.value, verdict, check)
  if (verdict.verdict === 'refused' && isHarmless)
    return record(entry, { ...verdict, verdict: 'ignored' }, check)
  record(entry, verdict, check)
  if (verdict.verdict === 'refused')
    problems.error(entry.key, `"${name}" is refused: ${verdict.why}`, verdict.instead)
  const isSaid = verdict.verdict === 'ignored' && !verdict.isQuiet && !isEmpty(entry.value)
  if (isSaid) problems.warn(entry.key, `"${name}" is ignored: ${verdict.why}`)
}

function asksForNothing(value: Node, { unless }: KeyRule, check: KeyCheck): boolean {
  if (!unless || value.kind === 'map') return false
  const items = value.kind === 'list' ? value.items : [value]
  return items.every(
    (item) => item.kind === 'scalar' && unless.includes(check.fill(String(item.value)).toLowerCase()),
  )
}

function record({ key }: Entry, { verdict, why, into }: KeyRule, { rulings }: KeyCheck): void {
  if (rulings.length >= mostRulings) return
  rulings.push({ path: key.path, position: key.position, verdict, why, ...(into ? { into } : {}) })
}

import type { EngineFeatures } from '../../domain/features.ts'
import type { Position } from '../../domain/manifest.ts'
import type { Remedy } from '../fix/fix.ts'
import { respelling } from '../nearest.ts'
import type { Advice, Problems } from '../problems.ts'
import { isEmpty, type Entry, type MapNode, type Node } from '../syntax/tree.ts'
import { ruleOn, type KeyRule, type RuleNode, type Verdict } from './verdict.ts'

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
  features: EngineFeatures
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
      rejectUnknown(name, entry, { level, siblings: node.entries }, check)
      continue
    }
    const verdict = ruleHere(entry, next.rule, check)
    rule(entry, verdict, check)
    const isUsed = verdict.verdict === 'honoured' || verdict.verdict === 'translated' || verdict.isRead
    if (isUsed) entries.set(name, { ...entry, value: checkKeys(entry.value, next, check) })
  }
  return { ...node, entries }
}

/** What a key stands among. */
interface Level {
  level: RuleNode
  siblings: Map<string, Entry>
}

function rejectUnknown(name: string, entry: Entry, { level, siblings }: Level, check: KeyCheck): void {
  if (name.startsWith('x-')) return record(entry, extension, check)
  const known = [...level.keys.keys()].filter((key) => key !== '[]')
  check.problems.error(entry.key, `unknown key "${name}"`, () => {
    const advice = respelling(name, known, 'remove it; a key for other programs starts with `x-`')
    return isGiven(advice, siblings) ? advice.hint : advice
  })
}

/** Whether the key that is meant is there as well. */
function isGiven(advice: Advice | undefined, siblings: Map<string, Entry>): advice is Remedy {
  if (typeof advice !== 'object') return false
  return [advice.fix].flat().some((fix) => fix.change === 'respell' && siblings.has(fix.to))
}

/** The rule of the engine; a value that asks for nothing does not ask the engine either. */
function ruleHere(entry: Entry, usual: KeyRule, check: KeyCheck): KeyRule {
  const there = ruleOn(usual, check.features)
  const isLacking = there.verdict === 'refused' && usual.verdict !== 'refused'
  return isLacking && isHarmless(entry, there, check) ? usual : there
}

function isHarmless({ value }: Entry, rule: KeyRule, check: KeyCheck): boolean {
  return isEmpty(value) || asksForNothing(value, rule, check)
}

function rule(entry: Entry, verdict: KeyRule, check: KeyCheck): void {
  const { problems } = check
  const name = entry.key.path.split('.').at(-1) ?? ''
  if (verdict.verdict === 'refused' && isHarmless(entry, verdict, check))
    return record(entry, { ...verdict, verdict: 'ignored' }, check)
  record(entry, verdict, check)
  if (verdict.verdict === 'refused')
    problems.error(entry.key, `"${name}" is refused: ${verdict.why}`, adviceOf(entry, verdict))
  const isSaid = verdict.verdict === 'ignored' && !verdict.isQuiet && !isHarmless(entry, verdict, check)
  if (isSaid) problems.warn(entry.key, `"${name}" is ignored: ${verdict.why}`)
  if (verdict.isTold && !isEmpty(entry.value))
    problems.warn(entry.key, `"${name}" becomes ${verdict.into}: ${verdict.why}`)
}

function adviceOf({ key }: Entry, { instead, fix }: KeyRule): Advice | undefined {
  return fix ? { ...(instead && { hint: instead }), fix: fix(key.path) } : instead
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

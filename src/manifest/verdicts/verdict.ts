import type { EngineFeatures, Lack } from '../../domain/features.ts'
import { removal, type Fix } from '../fix/fix.ts'

/** What a rack does with a key of the file. */
export type Verdict = 'honoured' | 'translated' | 'ignored' | 'refused'

export interface KeyRule {
  verdict: Verdict
  /** What it means here, why leaving it out is harmless, or why it cannot be. */
  why: string
  /** What a translated key becomes. */
  into?: string
  /** What to write instead of a refused key. */
  instead?: string
  /** How the file does without a refused key that is at a path. */
  fix?: (path: string) => Fix
  /** Values that ask for nothing: with them a refused key is harmless, and an ignored one goes unsaid. */
  unless?: string[]
  /** Ignored in so harmless a way that only the list of verdicts mentions it. */
  isQuiet?: boolean
  /** What the key asks of the engine. One that lacks it says what becomes of the key, unless `otherwise` does. */
  needs?: KeyFeature
  otherwise?: KeyRule
  /** What some values of the key ask of the engine: those that read them look at it. */
  partly?: KeyFeature[]
  /** Ignored, but what it says to another program is read for hints. */
  isRead?: boolean
  /** Translated by an engine that lacks what others have, which is worth a warning. */
  isTold?: boolean
}

/** The features that a compose file can ask for. */
export type KeyFeature = {
  [Name in keyof EngineFeatures]: EngineFeatures[Name] extends true | { why: string } ? Name : never
}[keyof EngineFeatures]

/**
 * Rules by key path. A segment `*` is any name that the user chose and `[]` the items of a list; below a key that has
 * no entries of its own everything is the user's (labels, variables) or shares the verdict of that key.
 */
export type RuleTable = Record<string, KeyRule>

/** A rule table by levels. */
export interface RuleNode {
  rule: KeyRule | null
  keys: Map<string, RuleNode>
}

/** The rule that holds on an engine. */
export function ruleOn(rule: KeyRule, features: EngineFeatures): KeyRule {
  const { needs, otherwise, unless } = rule
  const feature = needs === undefined ? true : features[needs]
  if (!isLack(feature)) return rule
  if (otherwise) return otherwise
  const isTold = feature.verdict === 'translated' && !feature.isQuiet
  return { ...feature, ...(unless && { unless }), ...(isTold && { isTold }) }
}

/** What an engine does not do of a key or label whose values ask for different things. */
export function limitsOn({ partly = [] }: Pick<KeyRule, 'partly'>, features: EngineFeatures): string[] {
  const limits = partly.flatMap((name) => {
    const feature = features[name]
    return feature === true ? [] : [feature.why]
  })
  return [...new Set(limits)]
}

/** Whether an engine has nothing of a feature. */
export function isLack(feature: EngineFeatures[KeyFeature]): feature is Lack {
  return feature !== true && 'verdict' in feature
}

/** Turns a flat table into levels. */
export function levelsOf(table: RuleTable): RuleNode {
  const root: RuleNode = { rule: null, keys: new Map() }
  for (const [path, rule] of Object.entries(table)) {
    let node = root
    for (const segment of path.replaceAll('[]', '.[]').split('.')) {
      const next = node.keys.get(segment) ?? { rule: null, keys: new Map() }
      node.keys.set(segment, next)
      node = next
    }
    node.rule = rule
  }
  return root
}

/** A key that does what it says. */
export function honoured(why: string): KeyRule {
  return { verdict: 'honoured', why }
}

/** A key that becomes something of the rack's. */
export function translated(why: string, into: string): KeyRule {
  return { verdict: 'translated', why, into }
}

/** A key whose neglect is harmless, and why. */
export function ignored(why: string): KeyRule {
  return { verdict: 'ignored', why }
}

/** A harmless key that is not worth a line in a build log. */
export function quiet(why: string): KeyRule {
  return { verdict: 'ignored', why, isQuiet: true }
}

/** A key whose neglect would change what the app does. */
export function refused(why: string, instead?: string, unless?: string[]): KeyRule {
  return { verdict: 'refused', why, ...(instead ? { instead } : {}), ...(unless ? { unless } : {}) }
}

/** A refused key without which an app does the same on a rack: `rack manifest fix` removes it. */
export function dispensable(rule: KeyRule): KeyRule {
  return { ...rule, fix: () => removal }
}

/** A key that asks the engine for a feature; what becomes of it where that lacks is the engine's to say, or `otherwise`. */
export function needing(needs: KeyFeature, rule: KeyRule, otherwise?: KeyRule): KeyRule {
  return { ...rule, needs, ...(otherwise && { otherwise }) }
}

/** A key of which some values ask the engine for features. */
export function partly(features: KeyFeature[], rule: KeyRule): KeyRule {
  return { ...rule, partly: features }
}

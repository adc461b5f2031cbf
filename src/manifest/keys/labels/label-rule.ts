import type { EngineFeatures } from '../../../domain/features.ts'
import { isLack, type KeyFeature } from '../../verdicts/verdict.ts'

/** What a label of the `rack.*` family takes, and what holds without it. The reader and the documentation use this table. */
export interface LabelRule {
  verdict: 'honoured' | 'ignored' | 'refused'
  why: string
  kind: LabelKind
  /** A value that the label takes. */
  example: string
  min?: number
  max?: number
  /** In the unit of `kind`; a text says how it is found. */
  default?: number | string
  /** Where a label with the prefix `convox.` differs. */
  convox?: { min?: number; max?: number; default?: number | string }
  /** Values that ask for nothing, so that a refused label is harmless with them. */
  unless?: string[]
  /** What to write instead of a refused label; absent it is to be removed. */
  instead?: string
  /** What the label asks of the engine. One that lacks it refuses the label, unless `otherwise` says what it does then. */
  needs?: KeyFeature
  otherwise?: string
  /** What some values ask of the engine: those that read them look at it. */
  partly?: KeyFeature[]
}

export type LabelKind =
  | 'seconds'
  | 'seconds-or-never'
  | 'host'
  | 'rollback'
  | 'scope'
  | 'count'
  | 'percent'
  | 'port'
  | 'path'
  | 'boolean'
  | 'protocol'
  | 'proxy'
  | 'upstream'
  | 'command'
  | 'occasion'
  | 'timer'
  | 'timezone'
  | 'overlap'
  | 'sticky'
  | 'addresses'
  | 'accounts'
  | 'mount'
  | 'text'

/** The rule that holds on an engine. */
export function labelRuleOn(rule: LabelRule, features: EngineFeatures): LabelRule {
  const { needs, otherwise } = rule
  const feature = needs === undefined ? true : features[needs]
  if (!isLack(feature)) return rule
  if (otherwise !== undefined) return { ...rule, why: otherwise }
  const { why } = feature
  if (feature.verdict !== 'refused') return { ...rule, verdict: 'ignored', why }
  return { ...rule, verdict: 'refused', why, instead: feature.instead }
}

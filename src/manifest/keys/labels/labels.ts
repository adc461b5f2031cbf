import type { EngineFeatures } from '../../../domain/features.ts'
import { didYouMean, respelling } from '../../nearest.ts'
import type { Problems } from '../../problems.ts'
import { childOf, type Node } from '../../syntax/tree.ts'
import type { LabelRule } from './label-rule.ts'
import { labelRuleOn } from './label-rule.ts'
import { labelRuleOf, labelRules } from './label-rules.ts'
import { checkLabelValue } from './label-values.ts'
import { pairsOf, type Pair } from '../values/values.ts'

/** One label of the family, checked. */
export interface FamilyLabel {
  value: string
  /** For kinds with a number, in the unit of the label. */
  number: number
  isConvox: boolean
  at: Node
}

export interface Labels {
  /** Those that are not of the family, as the file has them. */
  own: Record<string, string>
  /** The honoured ones of the family by the name after the prefix. */
  family: Map<string, FamilyLabel>
  /** Whether any label has the original's prefix: some defaults differ there. */
  hasConvox: boolean
}

/** Reads `labels:` in both syntaxes and checks the `rack.*` and `convox.*` family. */
export function labelsOf(service: Node, features: EngineFeatures, problems: Problems): Labels {
  const own = Object.create(null) as Record<string, string>
  const labels: Labels = { own, family: new Map(), hasConvox: false }
  const timers = new Set<string>()
  const settings: [timer: string, pair: Pair][] = []
  for (const pair of pairsOf(childOf(service, 'labels'), problems)) {
    if (pair.name === '') {
      problems.error(pair.at, 'a label needs a name', 'write rack.health.path=/health')
      continue
    }
    const [, prefix, name = ''] = /^(rack|convox)(?:\.(.*))?$/s.exec(pair.name) ?? []
    const [, timer, setting] = /^cron\.([^.]+)(\.(?:timezone|overlap|timeout))?$/.exec(name) ?? []
    if (timer !== undefined && setting) settings.push([timer, pair])
    else if (timer !== undefined) timers.add(timer)
    if (prefix) {
      const rule = labelRuleOf(name)
      const isConvox = prefix === 'convox'
      if (rule) addToFamily(labels, pair, name, { rule: labelRuleOn(rule, features), isConvox }, problems)
      else unknownLabel(pair, isConvox, problems)
    } else if (/^com\.rack(\.|$)/.test(pair.name)) {
      problems.error(pair.at, `labels that start with "com.rack" are the rack's own`, 'choose another name')
    } else own[pair.name] = pair.value ?? ''
  }
  for (const [timer, { at, name }] of settings) {
    const known = [...timers].map((one) => name.replace(timer, one))
    if (!timers.has(timer))
      problems.error(at, `${name}: there is no timer "${timer}"`, () =>
        didYouMean(name, known, `write ${name.replace(/\.[a-z]+$/, '')}=…`),
      )
  }
  return { ...labels, own: { ...own } }
}

/** For kinds that are true or false. */
export function isTrue(label: FamilyLabel | undefined): boolean {
  return label?.value.toLowerCase() === 'true'
}

function addToFamily(
  labels: Labels,
  pair: Pair,
  name: string,
  { rule, isConvox }: { rule: LabelRule; isConvox: boolean },
  problems: Problems,
): void {
  labels.hasConvox ||= isConvox
  const value = (pair.value ?? '').trim()
  if (rule.verdict === 'ignored') return problems.warn(pair.at, `"${pair.name}" is ignored: ${rule.why}`)
  if (rule.kind === 'timer' && !isTimerName(name, pair, problems)) return
  if (!checkLabelValue({ pair, value, rule, isConvox, problems })) return
  if (rule.verdict === 'refused') {
    const isHarmless = rule.unless?.includes(value.toLowerCase()) ?? false
    if (!isHarmless)
      problems.error(pair.at, `"${pair.name}" is refused: ${rule.why}`, rule.instead ?? 'remove the label')
    return
  }
  const other = labels.family.get(name)
  if (other && other.isConvox !== isConvox)
    problems.warn(pair.at, `rack.${name} wins over convox.${name}`, 'keep one of them')
  const label = { value, number: Number(value), isConvox, at: pair.at }
  if (!other || !isConvox) labels.family.set(name, label)
}

/** A timer's name goes into the names of what runs it. */
function isTimerName(name: string, { at, name: label }: Pair, problems: Problems): boolean {
  if (/^cron\.[A-Za-z][A-Za-z0-9-]{0,29}$/.test(name)) return true
  const hint = 'use 1 to 30 letters, digits and dashes, a letter first: rack.cron.nightly'
  problems.error(at, `"${label}" does not name a timer`, hint)
  return false
}

function unknownLabel({ name, at }: Pair, isConvox: boolean, problems: Problems): void {
  const prefix = isConvox ? 'convox.' : 'rack.'
  const hint = () => {
    const known = Object.keys(labelRules).map((one) => one.replace('*', name.split('.')[2] ?? 'N'))
    const usual = isConvox ? undefined : 'labels under "rack." configure the rack'
    return respelling(name.slice(prefix.length), known, usual, prefix)
  }
  if (isConvox) problems.warn(at, `"${name}" is ignored: there is no such label`, hint)
  else problems.error(at, `unknown label "${name}"`, hint)
}

import { didYouMean, nearest } from '../../nearest.ts'
import type { Problems } from '../../problems.ts'
import { childOf, type Node } from '../../syntax/tree.ts'
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
export function labelsOf(service: Node, problems: Problems): Labels {
  const own = Object.create(null) as Record<string, string>
  const labels: Labels = { own, family: new Map(), hasConvox: false }
  const timers = new Set<string>()
  const zones: [timer: string, pair: Pair][] = []
  for (const pair of pairsOf(childOf(service, 'labels'), problems)) {
    if (pair.name === '') {
      problems.error(pair.at, 'a label needs a name', 'write rack.health.path=/health')
      continue
    }
    const [, prefix, name = ''] = /^(rack|convox)(?:\.(.*))?$/s.exec(pair.name) ?? []
    const [, timer, isZone] = /^cron\.([^.]+)(\.timezone)?$/.exec(name) ?? []
    if (timer !== undefined && isZone) zones.push([timer, pair])
    else if (timer !== undefined) timers.add(timer)
    if (prefix) addToFamily(labels, pair, name, prefix === 'convox', problems)
    else if (/^com\.rack(\.|$)/.test(pair.name)) {
      problems.error(pair.at, `labels that start with "com.rack" are the rack's own`, 'choose another name')
    } else own[pair.name] = pair.value ?? ''
  }
  for (const [timer, { at, name }] of zones) {
    const known = [...timers].map((one) => name.replace(timer, one))
    if (!timers.has(timer))
      problems.error(at, `${name}: there is no timer "${timer}"`, () =>
        didYouMean(name, known, `write ${name.replace(/\.timezone$/, '')}=…`),
      )
  }
  return { ...labels, own: { ...own } }
}

/** For kinds that are true or false. */
export function isTrue(label: FamilyLabel | undefined): boolean {
  return label?.value.toLowerCase() === 'true'
}

function addToFamily(labels: Labels, pair: Pair, name: string, isConvox: boolean, problems: Problems): void {
  const rule = labelRuleOf(name)
  if (!rule) return unknownLabel(pair, isConvox, problems)
  labels.hasConvox ||= isConvox
  const value = (pair.value ?? '').trim()
  if (rule.verdict === 'ignored') return problems.warn(pair.at, `"${pair.name}" is ignored: ${rule.why}`)
  if (rule.kind === 'timer' && !isTimerName(name, pair, problems)) return
  if (!checkLabelValue({ pair, value, rule, isConvox, problems })) return
  if (rule.verdict === 'refused') {
    const isHarmless = rule.unless?.includes(value.toLowerCase()) ?? false
    if (!isHarmless) problems.error(pair.at, `"${pair.name}" is refused: ${rule.why}`, 'remove the label')
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
    const near = nearest(name.slice(prefix.length), known)
    if (near !== undefined) return `did you mean "${prefix}${near}"?`
    return isConvox ? undefined : 'labels under "rack." configure the rack'
  }
  if (isConvox) problems.warn(at, `"${name}" is ignored: there is no such label`, hint)
  else problems.error(at, `unknown label "${name}"`, hint)
}

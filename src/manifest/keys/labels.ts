import type { PortProtocol } from '../../domain/port.ts'
import { didYouMean } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { childOf, shown, type Node } from '../syntax/tree.ts'
import { labelRuleOf, labelRules, type LabelRule } from './label-rules.ts'
import { pairsOf, type Pair } from './values.ts'

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
}

const protocols: PortProtocol[] = ['http', 'https', 'tcp', 'tls', 'udp']

/** Reads `labels:` in both syntaxes and checks the `rack.*` and `convox.*` family. */
export function labelsOf(service: Node, problems: Problems): Labels {
  const labels: Labels = { own: Object.create(null) as Record<string, string>, family: new Map() }
  for (const pair of pairsOf(childOf(service, 'labels'), problems)) {
    if (pair.name === '') {
      problems.error(pair.at, 'a label needs a name')
      continue
    }
    const [, prefix, name] = /^(rack|convox)(?:\.(.*))?$/s.exec(pair.name) ?? []
    if (prefix) addToFamily(labels, pair, name ?? '', prefix === 'convox', problems)
    else if (/^com\.rack(\.|$)/.test(pair.name)) {
      problems.error(pair.at, `labels that start with "com.rack" are the rack's own`, 'choose another name')
    } else labels.own[pair.name] = pair.value ?? ''
  }
  return { ...labels, own: { ...labels.own } }
}

function addToFamily(labels: Labels, pair: Pair, name: string, isConvox: boolean, problems: Problems): void {
  const rule = labelRuleOf(name)
  if (!rule) return unknownLabel(pair, isConvox, problems)
  const value = (pair.value ?? '').trim()
  if (rule.verdict === 'refused') {
    const isHarmless = rule.unless?.includes(value.toLowerCase()) ?? false
    if (!isHarmless) problems.error(pair.at, `"${pair.name}" is refused: ${rule.why}`, 'remove the label')
    return
  }
  if (rule.verdict === 'ignored') return problems.warn(pair.at, `"${pair.name}" is ignored: ${rule.why}`)
  const number = Number(value)
  if (!check(pair, value, rule, isConvox, problems)) return
  const other = labels.family.get(name)
  if (other && other.isConvox !== isConvox)
    problems.warn(pair.at, `rack.${name} wins over convox.${name}`, 'keep one of them')
  if (!other || !isConvox) labels.family.set(name, { value, number, isConvox, at: pair.at })
}

function unknownLabel({ name, at }: Pair, isConvox: boolean, problems: Problems): void {
  const prefix = isConvox ? 'convox.' : 'rack.'
  const known = Object.keys(labelRules).map((one) => prefix + one.replace('*', name.split('.')[2] ?? 'N'))
  const hint = () => didYouMean(name, known, isConvox ? undefined : 'labels under "rack." configure the rack')
  if (isConvox) problems.warn(at, `"${name}" is ignored: there is no such label`, hint)
  else problems.error(at, `unknown label "${name}"`, hint)
}

function check(pair: Pair, value: string, rule: LabelRule, isConvox: boolean, problems: Problems): boolean {
  const { at, name } = pair

  switch (rule.kind) {
    case 'path':
      if (/^\/[^\s]*$/.test(value)) return true
      problems.error(at, `${name} must be a path that starts with /`)
      return false
    case 'protocol':
      if (protocols.includes(value.toLowerCase() as PortProtocol)) return true
      problems.error(at, `${name} must be one of: ${protocols.join(', ')}`, () =>
        didYouMean(value, protocols),
      )
      return false
    case 'command':
      if (value !== '') return true
      problems.error(at, `${name} names no command`)
      return false
    case 'seconds':
    case 'count':
    case 'percent':
    case 'port':
      return checkNumber(pair, value, rule, isConvox, problems)
    default:
      return true
  }
}

function checkNumber(
  pair: Pair,
  value: string,
  rule: LabelRule,
  isConvox: boolean,
  problems: Problems,
): boolean {
  const own = isConvox ? rule.convox : undefined
  const min = own?.min ?? rule.min ?? 0
  const max = own?.max ?? rule.max ?? Number.MAX_SAFE_INTEGER
  const isFraction = rule.kind === 'seconds' && !isConvox
  const isNumber = (isFraction ? /^\d{1,9}(\.\d{1,6})?$/ : /^\d{1,9}$/).test(value)
  if (isNumber && Number(value) >= min && Number(value) <= max) return true
  const kind = isFraction ? 'a number' : 'a whole number'
  const unit = rule.kind === 'seconds' || rule.kind === 'percent' ? ` (${rule.kind})` : ''
  problems.error(
    pair.at,
    `${pair.name} must be ${kind} from ${min} to ${max}${unit}, but is ${shownValue(pair)}`,
  )
  return false
}

/** The text after the `=`, never that of a variable. */
function shownValue({ at, value }: Pair): string {
  const isFilled = at.kind === 'scalar' && at.value !== at.source && at.value !== null
  return isFilled ? shown(at) : JSON.stringify(value ?? '')
}

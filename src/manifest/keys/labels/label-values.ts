import { isIpRange } from '../../../lib/ip-range.ts'
import type { PortProtocol } from '../../../domain/port.ts'
import { didYouMean, respelling } from '../../nearest.ts'
import type { Advice, Problems } from '../../problems.ts'
import type { LabelKind, LabelRule } from './label-rule.ts'
import { isTimezone, readTimer, timezonesLike } from './timers.ts'
import type { Pair } from '../values/values.ts'

/** A label's value on its way in. */
export interface LabelValue {
  pair: Pair
  /** Trimmed. */
  value: string
  rule: LabelRule
  isConvox: boolean
  problems: Problems
}

/** How a part of the value is named in a message: by the text of the file where a variable had its hand in it. */
function shownOf({ value, source }: Pair, part: string): string {
  return JSON.stringify(source === value ? part : source)
}

/** True for a value that the label takes; else what is wrong with it has been said. */
export function checkLabelValue(label: LabelValue): boolean {
  return checks[label.rule.kind](label)
}

const checks: Record<LabelKind, (label: LabelValue) => boolean> = {
  seconds: isNumber,
  'seconds-or-never': (label) => /^never$/i.test(label.value) || isNumber(label),
  host: (label) => isHost.test(label.value) || reject(label, 'must be a host name, or one with a port'),
  count: isNumber,
  percent: isNumber,
  port: isNumber,
  path: (label) => /^\/[!-~]*$/.test(label.value) || reject(label, 'must be a path that starts with /'),
  boolean: isBoolean,
  protocol: oneOf(['http', 'https', 'tcp', 'tls', 'udp'] satisfies PortProtocol[]),
  proxy: oneOf(['true', 'false', 'v1', 'v2']),
  upstream: oneOf(['http1', 'h2c', 'h2']),
  command: (label) => label.value !== '' || reject(label, 'names no command'),
  occasion: isOccasion,
  rollback: isRollback,
  scope: isScope,
  timer: isTimer,
  timezone: isZone,
  overlap: isOverlap,
  sticky: isSticky,
  addresses: areAddresses,
  accounts: areAccounts,
  mount: isMountChoice,
  text: () => true,
}

/** What a header can hold: letters, digits, dots and dashes, and a port. */
const isHost = /^[a-z0-9]([a-z0-9._-]{0,250}[a-z0-9])?(:\d{1,5})?$/i

function reject({ pair, rule, problems }: LabelValue, message: string, hint?: Advice): false {
  problems.error(pair.at, `${pair.name} ${message}`, hint ?? `write ${pair.name}=${rule.example}`)
  return false
}

/** The parts of a value between its commas. */
export function partsOf(value: string): string[] {
  return value.split(',').map((part) => part.trim())
}

function isNumber(label: LabelValue): boolean {
  const { pair, value, rule, isConvox } = label
  const own = isConvox ? rule.convox : undefined
  const min = own?.min ?? rule.min ?? 0
  const max = own?.max ?? rule.max ?? Number.MAX_SAFE_INTEGER
  const isTime = rule.kind === 'seconds' || rule.kind === 'seconds-or-never'
  const isFraction = isTime && !isConvox
  const isWritten = (isFraction ? /^\d{1,9}(\.\d{1,6})?$/ : /^\d{1,9}$/).test(value)
  if (isWritten && Number(value) >= min && Number(value) <= max) return true
  const kind = isFraction ? 'a number' : 'a whole number'
  const unit = isTime ? ' (seconds)' : rule.kind === 'percent' ? ' (percent)' : ''
  return reject(label, `must be ${kind} from ${min} to ${max}${unit}, but is ${shownOf(pair, value)}`)
}

/** The original took its agents by the label's presence, so a name alone is true there. */
function isBoolean(label: LabelValue): boolean {
  const isNameAlone = label.isConvox && label.pair.value === null
  if (isNameAlone || /^(true|false)$/i.test(label.value)) return true
  return reject(label, `must be true or false, but is ${shownOf(label.pair, label.value)}`)
}

function oneOf(words: string[]): (label: LabelValue) => boolean {
  return (label) => {
    const word = label.value.toLowerCase()
    return (
      words.includes(word) || reject(label, `must be one of: ${words.join(', ')}`, respelling(word, words))
    )
  }
}

function isOccasion(label: LabelValue): boolean {
  if (/^(promote|build)$/i.test(label.value)) return true
  return reject(label, `must be promote or build, but is ${shownOf(label.pair, label.value)}`)
}

function isRollback(label: LabelValue): boolean {
  if (/^(auto|never)$/i.test(label.value)) return true
  return reject(label, `must be auto or never, but is ${shownOf(label.pair, label.value)}`)
}

function isScope(label: LabelValue): boolean {
  if (/^(all|declared)$/i.test(label.value)) return true
  return reject(label, `must be all or declared, but is ${shownOf(label.pair, label.value)}`)
}

function isMountChoice(label: LabelValue): boolean {
  if (/^(release|volume)$/i.test(label.value)) return true
  return reject(label, `must be release or volume, but is ${shownOf(label.pair, label.value)}`)
}

function isTimer(label: LabelValue): boolean {
  const { pair, value, problems } = label
  const { faults, notes } = readTimer(value)
  for (const { part, message, hint } of faults)
    problems.error(pair.at, `${pair.name}: ${shownOf(pair, part)} ${message}`, hint)
  if (pair.source === pair.value) {
    for (const { part, message, hint } of notes)
      problems.warn(pair.at, `${pair.name}: ${JSON.stringify(part)} ${message}`, hint)
  }
  return faults.length === 0
}

function isZone(label: LabelValue): boolean {
  const { pair, value, problems } = label
  if (isTimezone(value)) return true
  problems.error(pair.at, `${pair.name}: ${shownOf(pair, value)} is not a time zone`, () =>
    didYouMean(value, timezonesLike(value), 'write a name such as Europe/Berlin'),
  )
  return false
}

function isOverlap(label: LabelValue): boolean {
  if (/^(skip|queue|replace)$/i.test(label.value)) return true
  return reject(label, `must be skip, queue or replace, but is ${shownOf(label.pair, label.value)}`)
}

/** `false` asks for nothing. */
function isSticky(label: LabelValue): boolean {
  const word = label.value.toLowerCase()
  if (['source', 'uri', 'false'].includes(word) || /^header:[a-z0-9_-]{1,60}$/.test(word)) return true
  const hint =
    word === 'true' || word === 'cookie'
      ? `write ${label.pair.name}=source; the router sets no cookie`
      : undefined
  return reject(label, `must be source, uri or header:NAME, but is ${shownOf(label.pair, label.value)}`, hint)
}

/** More than anybody lists by hand; the router looks at each for every connection. */
const mostParts = 500

function areAddresses(label: LabelValue): boolean {
  const parts = partsOf(label.value)
  if (label.value === '') return reject(label, 'names no address, so nobody could connect')
  if (parts.length > mostParts)
    return reject(label, `names more than ${mostParts} addresses`, 'name ranges: 10.0.0.0/8')
  const wrong = parts.find((part) => !isIpRange(part))
  if (wrong === undefined) return true
  return reject(label, `takes addresses and ranges, and ${shownOf(label.pair, wrong)} is neither`)
}

/** A pair is never shown: half a password is one too much. */
function areAccounts(label: LabelValue): boolean {
  const parts = partsOf(label.value)
  if (parts.length > mostParts) return reject(label, `names more than ${mostParts} accounts`)
  const wrong = parts.findIndex((part) => !/^[^:\p{Cc}]{1,200}:[^\p{Cc}]{1,200}$/u.test(part))
  if (wrong < 0) return true
  const hint = `write ${label.pair.name}=admin:\${ADMIN_PASSWORD}; a comma begins the next pair`
  return reject(label, `takes pairs of user:password, and its pair ${wrong + 1} is none`, hint)
}

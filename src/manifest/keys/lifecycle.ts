import type { CheckBounds, EngineFeatures } from '../../domain/features.ts'
import type { HealthcheckSettings, RestartPolicy } from '../../domain/manifest.ts'
import { respelling } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { childOf, shown, type Node } from '../syntax/tree.ts'
import type { Placed } from './relations.ts'
import { booleanOf, durationMsOf, integerOf, itemsOf, textOf } from './values/values.ts'

const restartWords: Record<string, RestartPolicy> = {
  no: 'no',
  false: 'no',
  always: 'always',
  'unless-stopped': 'always',
  'on-failure': 'on-failure',
}
const conditionWords: Record<string, RestartPolicy> = {
  none: 'no',
  'on-failure': 'on-failure',
  any: 'always',
  // The words of `restart:`, which Compose takes here too.
  always: 'always',
  'unless-stopped': 'always',
}

/** The restart policy that the file names, or null when it names none. */
export function restartOf(service: Node, problems: Problems): Placed<RestartPolicy> | null {
  const node = childOf(service, 'restart')
  const text = textOf(node, problems)
  if (node && text !== null) {
    const [word = '', attempts] = text.split(':')
    if (attempts !== undefined)
      problems.warn(node, 'the number of attempts is ignored: the rack restarts with a back-off')
    return policyOf(node, word, restartWords, problems)
  }
  const condition = childOf(childOf(childOf(service, 'deploy'), 'restart_policy'), 'condition')
  const conditionText = textOf(condition, problems)
  return condition && conditionText !== null
    ? policyOf(condition, conditionText, conditionWords, problems)
    : null
}

function policyOf(
  node: Node,
  word: string,
  words: Record<string, RestartPolicy>,
  problems: Problems,
): Placed<RestartPolicy> | null {
  const policy = Object.hasOwn(words, word) ? words[word] : undefined
  if (policy) return { value: policy, at: node }
  const known = Object.keys(words).filter((one) => one !== 'false')
  problems.error(node, `${shown(node)} is not a restart policy`, () =>
    respelling(word, known, `use one of: ${known.join(', ')}`),
  )
  return null
}

/** The time between the stop signal and SIGKILL. */
export function stopGraceMsOf(service: Node, features: EngineFeatures, problems: Problems): number {
  const node = childOf(service, 'stop_grace_period')
  const graceMs = durationMsOf(node, problems) ?? 10_000
  const bound = features.stopGraceMs
  if (!node || bound === true || graceMs <= bound.most) return graceMs
  problems.warn(node, `${shown(node)} is more than the engine gives: ${bound.why}`, bound.instead)
  return bound.most
}

/** Those of Linux, without the real-time ones. */
const signals = (
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
  'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
).split(' ')

/** The signal that asks a process to end, or null for the image's own. */
export function stopSignalOf(service: Node, problems: Problems): string | null {
  const node = childOf(service, 'stop_signal')
  const text = textOf(node, problems)?.toUpperCase() ?? null
  if (!node || !text) return null
  const name = text.replace(/^SIG/, '')
  const isNumber = /^\d{1,2}$/.test(name) && Number(name) >= 1 && Number(name) <= 64
  if (!isNumber && !signals.includes(name) && !/^RTM(IN(\+\d{1,2})?|AX(-\d{1,2})?)$/.test(name))
    problems.error(node, `${shown(node)} is not a signal`, () =>
      respelling(
        text,
        signals.map((one) => `SIG${one}`),
        'write SIGTERM',
      ),
    )
  return text
}

/** The directory that the process starts in, or null for the image's own. */
export function workingDirOf(service: Node, problems: Problems): string | null {
  const node = childOf(service, 'working_dir')
  const text = textOf(node, problems)
  if (node && text && !text.startsWith('/')) problems.error(node, `${shown(node)} is not an absolute path`)
  return text || null
}

/** The check inside the container; null keeps the image's own. */
export function healthcheckOf(
  service: Node,
  { checks }: EngineFeatures,
  problems: Problems,
): HealthcheckSettings | null {
  const node = childOf(service, 'healthcheck')
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return null
  if (node.kind !== 'map') {
    problems.error(
      node,
      `expected a mapping, but found ${shown(node)}`,
      'write `test:` with the check under it',
    )
    return null
  }
  const test = testOf(childOf(node, 'test'), problems)
  const isDisabled = booleanOf(childOf(node, 'disable'), problems) === true
  const settings = {
    test: isDisabled ? ['NONE'] : test,
    intervalMs: positive(childOf(node, 'interval'), problems),
    timeoutMs: positive(childOf(node, 'timeout'), problems),
    retries: integerOf(childOf(node, 'retries'), { min: 1, max: 1000 }, problems),
    startPeriodMs: durationMsOf(childOf(node, 'start_period'), problems),
  }
  if (Object.values(settings).every((setting) => setting === null)) return null
  return checks === true ? settings : bounded(settings, { node, checks, problems })
}

/** A check as the engine makes it; what it rounds is said. */
function bounded(
  settings: HealthcheckSettings,
  { node, checks, problems }: { node: Node; checks: CheckBounds; problems: Problems },
): HealthcheckSettings {
  const round = (key: string, value: number | null, [least, most]: [number, number], unit: string) => {
    const at = childOf(node, key)
    const rounded = value === null ? null : Math.min(most, Math.max(least, value))
    if (at && rounded !== null && rounded !== value)
      problems.warn(
        at,
        `${shown(at)} is rounded to ${unit === 's' ? rounded / 1000 : rounded}${unit}: ${checks.why}`,
      )
    return rounded
  }
  const { shortestIntervalMs, longestIntervalMs, longestStartPeriodMs, mostRetries } = checks
  return {
    ...settings,
    intervalMs: round('interval', settings.intervalMs, [shortestIntervalMs, longestIntervalMs], 's'),
    startPeriodMs: round('start_period', settings.startPeriodMs, [0, longestStartPeriodMs], 's'),
    retries: round('retries', settings.retries, [1, mostRetries], ''),
  }
}

function positive(node: Node | undefined, problems: Problems): number | null {
  const time = durationMsOf(node, problems)
  if (node && time !== null && time < 1) problems.error(node, `${shown(node)} is too short`)
  return time
}

function testOf(node: Node | undefined, problems: Problems): string[] | null {
  if (node === undefined) return null
  if (node.kind === 'scalar') {
    const text = textOf(node, problems)
    return text ? ['CMD-SHELL', text] : null
  }
  const words = itemsOf(node, problems).map((item) => textOf(item, problems) ?? '')
  const [kind = '', ...rest] = words
  if (kind === 'NONE') return ['NONE']
  const isComplete = (kind === 'CMD' && rest.length > 0) || (kind === 'CMD-SHELL' && rest.length === 1)
  if (!isComplete)
    problems.error(node, 'a check starts with CMD, CMD-SHELL or NONE', 'write ["CMD", "program", "argument"]')
  return isComplete ? words : null
}

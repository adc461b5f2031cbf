import type { EngineFeatures } from '../../../domain/features.ts'
import { isWeb, type Port } from '../../../domain/port.ts'
import type { Account, Routing, Sticky } from '../../../domain/routing.ts'
import { isThere } from '../../lacks.ts'
import type { Problems } from '../../problems.ts'
import { labelRules } from './label-rules.ts'
import { partsOf } from './label-values.ts'
import { isTrue, type FamilyLabel, type Labels } from './labels.ts'

/** How the router treats those who come from outside: sticky, idle timeout, allowed addresses and accounts. */
export function routingOf(
  labels: Labels,
  ports: Port[],
  features: EngineFeatures,
  problems: Problems,
): Routing {
  const { family } = labels
  const routing: Routing = {
    sticky: stickyOf(family.get('sticky')),
    idleTimeoutMs: idleTimeoutMsOf(labels),
    allow: allowOf(family.get('allow')),
    auth: accountsOf(family.get('auth')),
    ...httpsOf(labels),
  }
  checkReach(labels, ports, problems)
  if (routing.sticky && routing.sticky.by !== 'source') checkHttp('sticky', labels, ports, problems)
  if (routing.auth.length > 0) checkHttp('auth', labels, ports, problems)
  const servesWeb = ports.some(({ external, protocol }) => external !== null && isWeb(protocol))
  const servesTls = ports.some(({ external, protocol }) => external !== null && protocol === 'tls')
  checkSticky(routing.sticky, labels, { features, servesWeb, servesTls, problems })
  if (servesWeb) checkRanges(routing.allow, labels, features, problems)
  const servesOthers = ports.some(({ external, protocol }) => external !== null && !isWeb(protocol))
  const allow = family.get('allow')
  if (allow && routing.allow?.some((range) => range.includes(':')))
    isThere(features.allowedIpv6, allow.at, 'a range of IPv6 in allow', problems)
  const idle = family.get('idle.timeout')
  if (idle && servesWeb) isThere(features.idleTimeoutOnHttp, idle.at, 'idle.timeout on http', problems)
  if (idle && servesOthers)
    isThere(features.idleTimeoutOnPorts, idle.at, 'idle.timeout on a port that is not http', problems)
  return routing
}

/** Whether the engine knows a client again by what the label says. */
function checkSticky(
  sticky: Sticky | null,
  { family }: Labels,
  {
    features,
    servesWeb,
    servesTls,
    problems,
  }: { features: EngineFeatures; servesWeb: boolean; servesTls: boolean; problems: Problems },
): void {
  const at = family.get('sticky')?.at
  if (!sticky || !at) return
  const kinds = features.sticky
  if (kinds !== true && !kinds.only.includes(sticky.by))
    problems.error(at, `sticky by ${sticky.by} is refused: ${kinds.why}`, kinds.instead)
  else if (sticky.by === 'source' && servesWeb)
    isThere(features.stickyByAddress, at, "the client's address on http", problems)
  if (sticky.by === 'source' && servesTls)
    isThere(features.stickyOnTls, at, 'sticky on a port of tls', problems)
}

function checkRanges(
  allow: string[] | null,
  { family }: Labels,
  { allowedRanges }: EngineFeatures,
  problems: Problems,
): void {
  const at = family.get('allow')?.at
  if (!at || !allow || allowedRanges === true || allow.length <= allowedRanges.most) return
  problems.error(at, `allow names ${allow.length} ranges: ${allowedRanges.why}`, allowedRanges.instead)
}

function stickyOf(label: FamilyLabel | undefined): Sticky | null {
  const word = label?.value.toLowerCase() ?? 'false'
  if (word === 'false') return null
  return word === 'source' || word === 'uri'
    ? { by: word }
    : { by: 'header', name: word.slice('header:'.length) }
}

function idleTimeoutMsOf({ family, hasConvox }: Labels): number | null {
  const label = family.get('idle.timeout')
  const inherited = hasConvox ? labelRules['idle.timeout']?.convox?.default : undefined
  const seconds = label?.number ?? inherited
  return typeof seconds === 'number' ? Math.round(seconds * 1000) : null
}

function httpsOf({ family }: Labels): Pick<Routing, 'keepsHttp' | 'hstsSeconds'> {
  const redirect = family.get('https.redirect')
  const seconds = family.get('https.hsts')?.number
  return {
    ...(redirect && !isTrue(redirect) && { keepsHttp: true as const }),
    ...(typeof seconds === 'number' && { hstsSeconds: Math.round(seconds) }),
  }
}

function allowOf(label: FamilyLabel | undefined): string[] | null {
  return label ? [...new Set(partsOf(label.value).map((part) => part.toLowerCase()))] : null
}

function accountsOf(label: FamilyLabel | undefined): Account[] {
  return partsOf(label?.value ?? '').flatMap((pair) => {
    const colon = pair.indexOf(':')
    return colon < 0 ? [] : [{ user: pair.slice(0, colon), password: pair.slice(colon + 1) }]
  })
}

/** Labels of the router do nothing where it leads no traffic. */
function checkReach({ family }: Labels, ports: Port[], problems: Problems): void {
  if (ports.some(({ external }) => external !== null)) return
  for (const name of ['sticky', 'idle.timeout', 'allow', 'auth', 'https.redirect', 'https.hsts']) {
    const label = family.get(name)
    if (label)
      problems.warn(
        label.at,
        `${name} changes nothing: the process has no external port`,
        'open one: "80:5000"',
      )
  }
}

/** Only a request over HTTP names a path, a header and an account. */
function checkHttp(name: string, { family }: Labels, ports: Port[], problems: Problems): void {
  const label = family.get(name)
  const external = ports.filter((port) => port.external !== null)
  const other = external.filter(({ protocol }) => !isWeb(protocol)).map((port) => port.external)
  if (!label || other.length === 0) return
  const numbers = `the external port ${other.join(', ')} is not http`
  const hint = `write rack.port.${other[0]}.protocol=http if the process speaks it`
  if (other.length === external.length) problems.error(label.at, `${name} needs http, and ${numbers}`, hint)
  else if (name === 'auth') problems.warn(label.at, `${numbers}, so it asks nobody for a password`, hint)
}

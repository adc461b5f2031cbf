import { meantAsRaw } from '../across/nameless-ports.ts'
import { bindsOf } from '../../domain/binds.ts'
import type { ProcessType } from '../../domain/manifest.ts'
import { defaultProtocol, type Health, type Port, type Replacement } from '../../domain/port.ts'
import type { Routing } from '../../domain/routing.ts'
import type { Timer } from '../../domain/timer.ts'

/** The labels of the `rack.*` family that say what differs from the defaults. */
export function canonicalLabels(type: ProcessType): Record<string, string> {
  const { minimumPercent, maximumPercent, mayOverlap } = type.deployment
  const usual = type.isAgent ? { minimum: 0, maximum: 100 } : { minimum: 100, maximum: 200 }
  const labels: Record<string, string | null> = {
    ...healthLabels(type.health),
    'draining.timeout': type.drainTimeoutMs === 60_000 ? null : seconds(type.drainTimeoutMs),
    'deployment.minimum': minimumPercent === usual.minimum && !mayOverlap ? null : String(minimumPercent),
    'deployment.maximum': maximumPercent === usual.maximum ? null : String(maximumPercent),
    'deployment.watch': type.watchMs === 3000 ? null : seconds(type.watchMs),
    'deployment.rollback': type.rollsBack ? 'auto' : null,
    'deployment.hold': type.holdMs === 30_000 ? null : seconds(type.holdMs),
    ...routingLabels(type.routing),
    agent: type.isAgent ? 'true' : null,
    environment: type.isDeclaredOnly ? 'declared' : null,
    'release.command': type.releaseCommand?.at(-1) ?? null,
    'release.on': type.releaseCommand && type.releaseCommandOn === 'build' ? 'build' : null,
  }
  for (const timer of type.timers) Object.assign(labels, timerLabels(timer))
  const raw = meantAsRaw(type)
  for (const port of type.ports) {
    Object.assign(labels, portLabels(port))
    if (port.external !== null && raw.has(port.external)) labels[`port.${port.external}.protocol`] ??= 'tcp'
  }
  for (const { path, as } of bindsOf(type.mounts)) labels[`mount.${path}`] = as
  const said = Object.entries(labels).filter((label): label is [string, string] => label[1] !== null)
  return Object.fromEntries(said.map(([name, value]) => [`rack.${name}`, value]))
}

function routingLabels(routing: Routing): Record<string, string | null> {
  const { sticky, idleTimeoutMs, allow, auth, keepsHttp, hstsSeconds } = routing
  const stickyText = sticky && (sticky.by === 'header' ? `header:${sticky.name}` : sticky.by)
  return {
    sticky: stickyText,
    'idle.timeout': idleTimeoutMs === null ? null : seconds(idleTimeoutMs),
    allow: allow && allow.join(','),
    'https.redirect': keepsHttp ? 'false' : null,
    'https.hsts': hstsSeconds === undefined ? null : String(hstsSeconds),
    auth: auth.length === 0 ? null : auth.map(({ user, password }) => `${user}:${password}`).join(','),
  }
}

function timerLabels({
  name,
  schedule,
  command,
  timezone,
  overlap,
  timeoutMs,
}: Timer): Record<string, string | null> {
  return {
    [`cron.${name}`]: `${schedule} ${command}`,
    [`cron.${name}.timezone`]: timezone === 'UTC' ? null : timezone,
    [`cron.${name}.overlap`]: overlap === 'skip' ? null : overlap,
    [`cron.${name}.timeout`]: timeoutMs === null ? null : seconds(timeoutMs),
  }
}

function portLabels({
  external,
  protocol,
  proxy,
  secure,
  upstream,
  isShared,
  isLocal,
}: Port): Record<string, string | null> {
  if (external === null) return {}
  // The port says `/udp` itself, and one for tcp may stand beside it.
  if (protocol === 'udp') return {}
  return {
    [`port.${external}.protocol`]:
      protocol === (isLocal ? 'tcp' : defaultProtocol(external)) ? null : protocol,
    [`port.${external}.proxy`]: proxy === 'v1' ? 'true' : proxy || null,
    [`port.${external}.secure`]: secure && upstream !== 'h2' ? 'true' : null,
    [`port.${external}.upstream`]: upstream ?? null,
    [`port.${external}.shared`]: isShared ? 'true' : null,
  }
}

function healthLabels(health: Health): Record<string, string | null> {
  const {
    path,
    host,
    port,
    replacement,
    intervalMs,
    timeoutMs,
    graceMs,
    healthyThreshold,
    unhealthyThreshold,
  } = health
  const isTimed = intervalMs !== 5000 || timeoutMs !== 3000
  return {
    'health.path': path,
    'health.host': host,
    'health.replace': replacementText(replacement),
    'health.port': port === null ? null : String(port),
    'health.interval': isTimed ? seconds(intervalMs) : null,
    'health.timeout': isTimed ? seconds(timeoutMs) : null,
    'health.grace': graceMs === 0 ? null : seconds(graceMs),
    'health.threshold.healthy': healthyThreshold === 1 ? null : String(healthyThreshold),
    'health.threshold.unhealthy': unhealthyThreshold === 3 ? null : String(unhealthyThreshold),
  }
}

function replacementText(replacement: Replacement): string | null {
  if (replacement.when === 'overlapping') return null
  return replacement.when === 'never' ? 'never' : seconds(replacement.afterMs)
}

function seconds(ms: number): string {
  return String(ms / 1000)
}

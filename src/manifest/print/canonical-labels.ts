import type { ProcessType } from '../../domain/manifest.ts'
import { defaultProtocol, type Health, type Port } from '../../domain/port.ts'
import type { Routing } from '../../domain/routing.ts'

/** The labels of the `rack.*` family that say what differs from the defaults. */
export function canonicalLabels(type: ProcessType): Record<string, string> {
  const { minimumPercent, maximumPercent } = type.deployment
  const usual = type.isAgent ? { minimum: 0, maximum: 100 } : { minimum: 100, maximum: 200 }
  const labels: Record<string, string | null> = {
    ...healthLabels(type.health),
    'draining.timeout': type.drainTimeoutMs === 60_000 ? null : seconds(type.drainTimeoutMs),
    'deployment.minimum': minimumPercent === usual.minimum ? null : String(minimumPercent),
    'deployment.maximum': maximumPercent === usual.maximum ? null : String(maximumPercent),
    ...routingLabels(type.routing),
    agent: type.isAgent ? 'true' : null,
    'release.command': type.releaseCommand?.at(-1) ?? null,
  }
  for (const port of type.ports) Object.assign(labels, portLabels(port))
  const said = Object.entries(labels).filter((label): label is [string, string] => label[1] !== null)
  return Object.fromEntries(said.map(([name, value]) => [`rack.${name}`, value]))
}

function routingLabels({ sticky, idleTimeoutMs, allow, auth }: Routing): Record<string, string | null> {
  const stickyText = sticky && (sticky.by === 'header' ? `header:${sticky.name}` : sticky.by)
  return {
    sticky: stickyText,
    'idle.timeout': idleTimeoutMs === null ? null : seconds(idleTimeoutMs),
    allow: allow && allow.join(','),
    auth: auth.length === 0 ? null : auth.map(({ user, password }) => `${user}:${password}`).join(','),
  }
}

function portLabels({ external, protocol, proxy, secure }: Port): Record<string, string | null> {
  if (external === null) return {}
  return {
    [`port.${external}.protocol`]: protocol === defaultProtocol(external) ? null : protocol,
    [`port.${external}.proxy`]: proxy ? 'true' : null,
    [`port.${external}.secure`]: secure ? 'true' : null,
  }
}

function healthLabels(health: Health): Record<string, string | null> {
  const { path, port, intervalMs, timeoutMs, graceMs, healthyThreshold, unhealthyThreshold } = health
  const isTimed = intervalMs !== 5000 || timeoutMs !== 3000
  return {
    'health.path': path,
    'health.port': port === null ? null : String(port),
    'health.interval': isTimed ? seconds(intervalMs) : null,
    'health.timeout': isTimed ? seconds(timeoutMs) : null,
    'health.grace': graceMs === 0 ? null : seconds(graceMs),
    'health.threshold.healthy': healthyThreshold === 1 ? null : String(healthyThreshold),
    'health.threshold.unhealthy': unhealthyThreshold === 3 ? null : String(unhealthyThreshold),
  }
}

function seconds(ms: number): string {
  return String(ms / 1000)
}

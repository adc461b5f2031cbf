import type { ProcessType } from '../../domain/manifest.ts'
import { defaultProtocol, type Health } from '../../domain/port.ts'

/** The labels of the `rack.*` family that say what differs from the defaults. */
export function canonicalLabels(type: ProcessType): Record<string, string> {
  const { minimumPercent, maximumPercent } = type.deployment
  const labels: Record<string, string | null> = {
    ...healthLabels(type.health),
    'draining.timeout': type.drainTimeoutMs === 60_000 ? null : seconds(type.drainTimeoutMs),
    'deployment.minimum': minimumPercent === 100 ? null : String(minimumPercent),
    'deployment.maximum': maximumPercent === 200 ? null : String(maximumPercent),
    'release.command': type.releaseCommand?.at(-1) ?? null,
  }
  for (const { external, protocol } of type.ports) {
    if (external !== null && protocol !== defaultProtocol(external))
      labels[`port.${external}.protocol`] = protocol
  }
  const said = Object.entries(labels).filter((label): label is [string, string] => label[1] !== null)
  return Object.fromEntries(said.map(([name, value]) => [`rack.${name}`, value]))
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

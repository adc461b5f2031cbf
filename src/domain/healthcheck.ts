import type { Healthcheck, HealthcheckSettings } from './manifest.ts'

/** As Docker lays a container's settings over its image's. */
export function mergeHealthchecks(
  own: HealthcheckSettings | null,
  image: Healthcheck | null,
): Healthcheck | null {
  const test = own?.test ?? image?.test
  if (!test) return null
  return {
    test,
    intervalMs: own?.intervalMs ?? image?.intervalMs ?? 30_000,
    timeoutMs: own?.timeoutMs ?? image?.timeoutMs ?? 30_000,
    retries: own?.retries ?? image?.retries ?? 3,
    startPeriodMs: own?.startPeriodMs ?? image?.startPeriodMs ?? 0,
  }
}

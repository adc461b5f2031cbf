import { RackError } from '../domain/error.ts'
import { parseDuration } from '../lib/sizes.ts'

/** `10m` ago, or a time as it is. @throws usage */
export function sinceTime(text: string | undefined, now = Date.now()): string | undefined {
  if (text === undefined) return undefined
  const duration = parseDuration(text)
  if (duration !== null) return new Date(now - duration).toISOString()
  const time = /^\d{4}-\d\d-\d\d([T ]|$)/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  throw new RackError('usage', `--since: "${text}" is no time`, {
    hint: 'Such as 10m, 1h30m or 2026-11-20T10:00:00Z.',
  })
}

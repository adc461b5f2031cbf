import { formatDuration } from '../../lib/sizes.ts'

/** `3 min ago` for an RFC 3339 time; null stays null. */
export function ago(time: string | null, now = Date.now()): string | null {
  if (time === null) return null
  const ms = Math.max(0, now - Date.parse(time))
  if (Number.isNaN(ms)) return time
  if (ms < 10_000) return 'just now'
  const [amount, unit] = formatDuration(ms).split(' ')
  return `${amount} ${unit} ago`
}

/** How long something took, or takes by now. */
export function tookBetween(started: string | null, ended: string | null, now = Date.now()): string | null {
  if (started === null) return null
  return formatDuration((ended === null ? now : Date.parse(ended)) - Date.parse(started))
}

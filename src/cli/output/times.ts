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

/** `in 9 h` for an RFC 3339 time. */
export function ahead(time: string, now = Date.now()): string {
  const [amount, unit] = formatDuration(Math.max(0, Date.parse(time) - now)).split(' ')
  return `in ${amount} ${unit}`
}

/** `2026-11-30 03:00 Europe/Berlin` for an RFC 3339 time, as a clock there shows it. */
export function clockTime(time: string, timezone: string): string {
  // The Swedish way of writing times is that of RFC 3339, to a minute.
  const form = { dateStyle: 'short', timeStyle: 'short', timeZone: timezone } as const
  return `${new Intl.DateTimeFormat('sv-SE', form).format(Date.parse(time))} ${timezone}`
}

const byteUnits: Record<string, number> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
}
const millisecondUnits: Record<string, number> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Bytes of a size as compose and Docker write it: `512`, `64k`, `256m`, `256MB`, `1.5GiB`; a kilobyte is 1024 either
 * way, as in Docker. Null when it is no size.
 */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])(?:i?b)?|b)?$/i.exec(text.trim())
  if (!match) return null
  const bytes = Math.round(Number(match[1]) * byteUnits[match[2]?.toLowerCase() ?? '']!)
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** `268435456` as `256 MiB`; one decimal at most. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  // Rounded before it is compared: 1048575 is `1 MiB`, not `1024 KiB`.
  while (unit < names.length - 1 && Math.abs(oneDecimal(value)) >= 1024) {
    value /= 1024
    unit++
  }
  return `${oneDecimal(value)} ${names[unit]}`
}

/** Milliseconds of a duration as compose writes it: `500ms`, `1m30s`, `2h`, `1.5s`, `7d`. Null when it is none. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim()
  if (!/^(\d+(\.\d+)?(us|µs|ms|s|m|h|d))+$/.test(trimmed)) return null
  let total = 0
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(us|µs|ms|s|m|h|d)/g)) {
    total += Number(amount) * millisecondUnits[unit!]!
  }
  return total
}

/** `640 ms`, `1.3 s`, `42 s`, `2 min 5 s`, `3 h 2 min`, `4 d 1 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${oneDecimal(ms / 1000)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return pair(seconds, 60, 'min', 's')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1440) return pair(minutes, 60, 'h', 'min')
  return pair(Math.floor(minutes / 60), 24, 'd', 'h')
}

function pair(amount: number, base: number, large: string, small: string): string {
  const rest = amount % base
  return rest === 0 ? `${amount / base} ${large}` : `${Math.floor(amount / base)} ${large} ${rest} ${small}`
}

function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10
}

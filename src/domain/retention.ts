import { RackError } from './error.ts'

const units = { h: 'hour', d: 'day', w: 'week', m: 'month', y: 'year' } as const

type Unit = keyof typeof units

/** How many of the newest hours, days, weeks, months or years keep one each. */
export type Retention = { unit: Unit; count: number }[]

/** Reads `7d,4w,6m`. @throws invalid */
export function parseRetention(text: string): Retention {
  const rules = text.split(',').map((part) => /^([1-9]\d{0,3})([hdwmy])$/.exec(part.trim()))
  if (rules.every((rule) => rule !== null)) {
    return rules.map(([, count, unit]) => ({ count: Number(count), unit: unit as Unit }))
  }
  throw new RackError('invalid', `"${text}" does not say what is kept`, {
    hint: 'Such as 7d,4w,6m: the newest of each of the last seven days, four weeks and six months.',
  })
}

/**
 * Those that go: by none of the rules the newest of its day, week or month. Days in which there is none do not count, so
 * that a time without backups takes none away. Weeks begin on Mondays; all in UTC.
 */
export function outlived<T extends { created: string }>(all: readonly T[], rules: Retention): T[] {
  const newestFirst = all.toSorted((a, b) => (a.created < b.created ? 1 : -1))
  const kept = new Set(newestFirst.slice(0, 1))
  for (const { unit, count } of rules) {
    const newest = new Map<string, T>()
    for (const one of newestFirst) {
      const period = periodOf(one.created, unit)
      if (!newest.has(period)) newest.set(period, one)
    }
    for (const one of [...newest.values()].slice(0, count)) kept.add(one)
  }
  return newestFirst.filter((one) => !kept.has(one))
}

const dayMs = 86_400_000

function periodOf(time: string, unit: Unit): string {
  const iso = new Date(time).toISOString()
  // The first day of all was a Thursday.
  if (unit === 'w') return String(Math.floor((Math.floor(Date.parse(iso) / dayMs) + 3) / 7))
  return iso.slice(0, { h: 13, d: 10, m: 7, y: 4 }[unit])
}

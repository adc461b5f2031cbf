import type { Overlap, Timer } from '../../../domain/timer.ts'
import type { Labels } from './labels.ts'
import { readTimer } from './timers.ts'

/** The timers of a process, from labels that were checked. */
export function timersOf({ family }: Labels): Timer[] {
  return [...family].flatMap(([label, { value }]): Timer[] => {
    const [, name] = /^cron\.([^.]+)$/.exec(label) ?? []
    const { timer } = name === undefined ? { timer: null } : readTimer(value)
    if (name === undefined || !timer) return []
    const seconds = family.get(`${label}.timeout`)?.number
    return [
      {
        name,
        ...timer,
        timezone: family.get(`${label}.timezone`)?.value ?? 'UTC',
        overlap: overlapOf(family.get(`${label}.overlap`)?.value),
        timeoutMs: seconds === undefined ? null : Math.round(seconds * 1000),
      },
    ]
  })
}

function overlapOf(value = 'skip'): Overlap {
  const word = value.toLowerCase()
  return word === 'queue' || word === 'replace' ? word : 'skip'
}

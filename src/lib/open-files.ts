import { readFileSync } from 'node:fs'
import { isMissing } from './missing.ts'

/**
 * How many files this process may have open, and each that it starts: Node raises what it may have to the most that the
 * system allows, at its start. Endless where the system sets no limit, or does not say.
 */
export function mostOpenFiles(limits = readLimits()): number {
  const [, soft = ''] = /^Max open files +(\d+)/m.exec(limits) ?? []
  return soft === '' ? Number.POSITIVE_INFINITY : Number(soft)
}

/** Only Linux says it. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
}

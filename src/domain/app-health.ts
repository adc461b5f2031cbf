import { stopsFirst } from './overlap.ts'
import type { RestartPolicy } from './manifest.ts'
import type { Plan, ProcessPlan } from './plan.ts'
import type { AppProcess, ProcessStatus } from './process.ts'

/** What shall run of a type. */
export interface DesiredType extends Pick<ProcessPlan, 'type' | 'count' | 'restart'> {
  /** How long a copy may be unhealthy before it is replaced; null lets it be. */
  replaceAfterMs: number | null
}

/** What is known of a copy when it is compared with what shall run. */
export type SeenCopy = Pick<AppProcess, 'id' | 'type' | 'kind' | 'status' | 'detail'>

/** What a type lacks of the copies that it wants. */
export interface TypeLack {
  type: string
  wanted: number
  /** Neither there nor over as they are meant to be. */
  missing: number
  /** There, and serving nobody: their checks fail, or they crash as soon as they are started. */
  unhealthy: number
  /** Ended in failure, and by their file not to be started again. */
  crashed: number
  /** What is said of one of those that are there and serve nobody: `crashed (137, OOM) ×6`. */
  detail: string | null
}

/** Copies that have ended for good: by process id, their type. Some may be gone since. */
export type EndedCopies = ReadonlyMap<string, string>

const there: ReadonlySet<ProcessStatus> = new Set(['starting', 'running', 'unhealthy', 'restarting'])
const failing: ReadonlySet<ProcessStatus> = new Set(['unhealthy', 'restarting'])

/** What a plan wants, without what it holds of secrets. */
export function desiredTypes({ processes }: Plan): DesiredType[] {
  return processes.map((processPlan) => {
    const { type, count, restart } = processPlan
    return { type, count, restart, replaceAfterMs: replaceAfterMs(processPlan) }
  })
}

/** Where two copies may not overlap a new one would end the service of the old one, which may recover. */
function replaceAfterMs(processPlan: ProcessPlan): number | null {
  const { replacement } = processPlan.health
  if (replacement.when === 'never') return null
  const hasGap = replacement.when === 'overlapping' && stopsFirst(processPlan, processPlan.count)
  return hasGap ? null : replacement.afterMs
}

/**
 * Compares what shall run of an app with what is there; types that lack nothing are left out.
 * @param ended what is known to have ended: one that somebody has tidied away since is not missing
 */
export function lacksOf(desired: DesiredType[], seen: SeenCopy[], ended: EndedCopies): TypeLack[] {
  return desired.flatMap((wanted): TypeLack[] => {
    const { type, count } = wanted
    const { present, over, gone } = sortCopies(wanted, seen, ended)
    const missing = Math.max(0, count - present.length - over.length - gone.length)
    const unhealthy = present.filter(({ status }) => failing.has(status)).length
    const crashed = over.filter(({ status }) => status === 'crashed').length
    if (missing + unhealthy + crashed === 0) return []
    const failed = [...present, ...over].find(({ status }) => failing.has(status) || status === 'crashed')
    return [{ type, wanted: count, missing, unhealthy, crashed, detail: failed?.detail ?? null }]
  })
}

/** What is known to have ended after one more look; a type that has all its copies again begins anew. */
export function rememberEnded(desired: DesiredType[], seen: SeenCopy[], ended: EndedCopies): EndedCopies {
  return new Map(
    desired.flatMap((wanted) => {
      const { present, over, gone } = sortCopies(wanted, seen, ended)
      const isWhole = present.length + over.length >= wanted.count
      return [...over.map(({ id }) => id), ...(isWhole ? [] : gone)].map((id) => [id, wanted.type] as const)
    }),
  )
}

/** Says of a type what `rack apps` says of it: `web: 1 of 2 missing`. */
export function describeLack({ type, wanted, detail, ...counts }: TypeLack): string {
  const { missing, unhealthy, crashed } = counts
  const parts = Object.entries({ missing, unhealthy, crashed }).filter(([, count]) => count > 0)
  const what = parts.map(([name, count]) => `${count} of ${wanted} ${name}`).join(', ')
  return `${type}: ${what}${detail === null ? '' : `: ${detail}`}`
}

/** Since when copies are unhealthy, by process id. */
export type UnhealthySince = ReadonlyMap<string, number>

/** The same after one more look: those that are not unhealthy any more begin anew. */
export function rememberUnhealthy(seen: SeenCopy[], before: UnhealthySince, nowMs: number): UnhealthySince {
  const ailing = seen.filter(({ kind, status }) => kind === 'process' && status === 'unhealthy')
  return new Map(ailing.map(({ id }) => [id, before.get(id) ?? nowMs]))
}

/** When an unhealthy copy is to be replaced, by process id; those that are let be are left out. */
export function replacementTimes(
  desired: DesiredType[],
  seen: SeenCopy[],
  since: UnhealthySince,
): { id: string; type: string; atMs: number }[] {
  return seen.flatMap(({ id, type }) => {
    const afterMs = desired.find((wanted) => wanted.type === type)?.replaceAfterMs ?? null
    const sinceMs = since.get(id)
    return afterMs === null || sinceMs === undefined ? [] : [{ id, type, atMs: sinceMs + afterMs }]
  })
}

interface SortedCopies {
  present: SeenCopy[]
  over: SeenCopy[]
  /** Process ids of copies that had ended, and are no more. */
  gone: string[]
}

function sortCopies({ type, restart }: DesiredType, seen: SeenCopy[], ended: EndedCopies): SortedCopies {
  const own = seen.filter((copy) => copy.type === type && copy.kind === 'process')
  const ids = new Set(own.map(({ id }) => id))
  return {
    present: own.filter(({ status }) => there.has(status)),
    over: own.filter(({ status }) => isOver(status, restart)),
    gone: [...ended].flatMap(([id, of]) => (of === type && !ids.has(id) ? [id] : [])),
  }
}

/** Whether a copy that has ended so is not to be started again, as its file says. */
function isOver(status: ProcessStatus, restart: RestartPolicy): boolean {
  if (restart === 'always') return false
  return status === 'completed' || (status === 'crashed' && restart === 'no')
}

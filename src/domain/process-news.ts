import type { AppProcess } from './process.ts'

/** What is told of a process as it changes: no command, which may hold a secret, and no sample. */
export type Sighting = Pick<
  AppProcess,
  'id' | 'app' | 'type' | 'kind' | 'release' | 'status' | 'detail' | 'restarts' | 'outOfMemory'
>

/** How often processes were started again, and ended for want of memory. */
export interface Ends {
  restarts: number
  outOfMemory: number
}

export interface ProcessNews {
  /** `counted`: it has ended more often than was told, and the rest of it is not told yet. */
  change: 'created' | 'changed' | 'counted' | 'removed'
  /** As it is now; as it was told last when it is gone. */
  process: Sighting
}

/** What was told last of a process. */
export interface Told {
  process: Sighting
  toldMs: number
  /** How long after it nothing more is told. */
  gapMs: number
}

/** What is to be told of the processes of one app, and what is known to have been told then. */
export interface Outlook {
  news: ProcessNews[]
  told: Map<string, Told>
  /** When a change that is held back may be told; null when none is. */
  dueMs: number | null
}

/** How long is waited after the first change of a process; twice as long after each further one. */
export const shortestGapMs = 250
/** A process that keeps changing, as one that crashes again and again, is told of so seldom. */
export const longestGapMs = 300_000
/** Longer than any gap: one that has stayed as it was for so long begins anew. */
export const calmMs = 600_000

export function sightingOf(seen: AppProcess): Sighting {
  const { id, app, type, kind, release, status, detail, restarts, outOfMemory } = seen
  return { id, app, type, kind, release, status, detail, restarts, outOfMemory }
}

/** The ends between two looks at a process. One that knows of fewer than before has begun to count anew. */
export function endsBetween(before: Ends, now: Pick<Sighting, keyof Ends>): Ends {
  return {
    restarts: Math.max(0, now.restarts - before.restarts),
    outOfMemory: Math.max(0, (now.outOfMemory ?? 0) - before.outOfMemory),
  }
}

/** What was told before this daemon began, of which the times are not known. */
export function toldBefore(processes: Sighting[]): Map<string, Told> {
  return new Map(processes.map((process) => [process.id, { process, toldMs: -Infinity, gapMs: 0 }]))
}

/**
 * Compares what is there of an app with what was told of it. That a process is there, or gone, is told at once; changes
 * in between are laid together where they come often, so that the newest is told and no loop fills the sequence; how
 * often it has ended is counted whenever it is seen.
 */
export function newsOf(told: ReadonlyMap<string, Told>, seen: Sighting[], nowMs: number): Outlook {
  const outlook: Outlook = { news: [], told: new Map(), dueMs: null }
  const tell = (change: ProcessNews['change'], process: Sighting, gapMs: number) => {
    outlook.news.push({ change, process })
    outlook.told.set(process.id, { process, toldMs: nowMs, gapMs })
  }
  const keep = (before: Told, { restarts, outOfMemory }: Sighting) => {
    const process = { ...before.process, restarts, outOfMemory }
    if (!isAsCounted(process, before.process)) outlook.news.push({ change: 'counted', process })
    outlook.told.set(process.id, { ...before, process })
  }
  for (const found of seen) {
    const before = told.get(found.id)
    // What the engine does not know yet is as it was: less would be counted again.
    const process = { ...found, outOfMemory: found.outOfMemory ?? before?.process.outOfMemory ?? 0 }
    if (!before) tell('created', process, 0)
    else if (isAsTold(process, before.process)) keep(before, process)
    else if (nowMs >= before.toldMs + before.gapMs) tell('changed', process, nextGapMs(before, nowMs))
    else {
      keep(before, process)
      outlook.dueMs = Math.min(outlook.dueMs ?? Infinity, before.toldMs + before.gapMs)
    }
  }
  const there = new Set(seen.map(({ id }) => id))
  for (const [id, { process }] of told) if (!there.has(id)) outlook.news.push({ change: 'removed', process })
  return outlook
}

function isAsTold(now: Sighting, before: Sighting): boolean {
  return now.status === before.status && now.detail === before.detail
}

function isAsCounted(now: Sighting, before: Sighting): boolean {
  return now.restarts === before.restarts && now.outOfMemory === before.outOfMemory
}

function nextGapMs({ toldMs, gapMs }: Told, nowMs: number): number {
  const isCalm = nowMs - toldMs >= calmMs
  return isCalm ? shortestGapMs : Math.min(longestGapMs, Math.max(shortestGapMs, 2 * gapMs))
}

import {
  lacksOf,
  rememberEnded,
  rememberUnhealthy,
  replacementTimes,
  type DesiredType,
  type EndedCopies,
  type SeenCopy,
  type TypeLack,
  type UnhealthySince,
} from '../../domain/app-health.ts'
import { dueMs, takeTurn, type HealTurn } from '../../domain/heal-turns.ts'

/** Why a type could not be brought back. */
export interface HealTrouble {
  message: string
  hint: string | null
}

/** What a type lacks, and what has come of bringing it back. */
export interface ToldLack extends TypeLack {
  trouble: HealTrouble | null
  /** RFC 3339; null when it is being tried, or is left as it is. */
  nextTry: string | null
}

/** What shall run of an app, and by which release and formation. */
export interface Desired {
  key: string
  types: DesiredType[]
}

/** How apps were when they were looked at last: it is there for whoever asks, without asking the engine. */
export interface HealthBoard {
  /** Empty for an app that lacks nothing, and for one that nobody has looked at yet. */
  lacksOf(app: string): ToldLack[]
  desiredOf(app: string): Desired | null
  /** Notes what was seen. A release or a formation that is new forgets what was before. */
  note(app: string, desired: Desired, seen: SeenCopy[], nowMs: number): void
  ended(app: string): EndedCopies
  /** Process ids of copies that were unhealthy for so long that they are replaced. */
  overdue(app: string, nowMs: number): string[]
  /** Types that lack copies, or have overdue ones, and may be healed now; and when the next one may. */
  due(app: string, nowMs: number): { types: string[]; nextMs: number | null }
  /** Notes that types were brought back now: they are left alone for a while. */
  noteHealed(app: string, types: string[], nowMs: number): void
  /** Notes what was in the way. */
  noteTrouble(app: string, types: string[], nowMs: number, trouble: HealTrouble): void
  forget(app: string): void
  /** Forgets all others. */
  keepOnly(apps: string[]): void
}

interface Entry {
  desired: Desired
  ended: EndedCopies
  lacks: TypeLack[]
  since: UnhealthySince
  replacements: ReturnType<typeof replacementTimes>
  turns: Map<string, HealTurn>
  troubles: Map<string, HealTrouble>
}

export function createHealthBoard(): HealthBoard {
  const entries = new Map<string, Entry>()
  return {
    lacksOf: (app) => tellLacks(entries.get(app)),
    desiredOf: (app) => entries.get(app)?.desired ?? null,
    note(app, desired, seen, nowMs) {
      const before = entries.get(app)
      const entry = before?.desired.key === desired.key ? before : beginEntry(desired)
      entry.ended = rememberEnded(desired.types, seen, entry.ended)
      entry.lacks = lacksOf(desired.types, seen, entry.ended)
      entry.since = rememberUnhealthy(seen, entry.since, nowMs)
      entry.replacements = replacementTimes(desired.types, seen, entry.since)
      for (const type of entry.troubles.keys()) if (!isLacking(entry, type)) entry.troubles.delete(type)
      entries.set(app, entry)
    },
    ended: (app) => entries.get(app)?.ended ?? new Map(),
    overdue: (app, nowMs) =>
      (entries.get(app)?.replacements ?? []).filter(({ atMs }) => atMs <= nowMs).map(({ id }) => id),
    due(app, nowMs) {
      const times = healTimes(entries.get(app))
      const later = times.filter(({ atMs }) => atMs > nowMs).map(({ atMs }) => atMs)
      const types = times.filter(({ atMs }) => atMs <= nowMs).map(({ type }) => type)
      return { types: [...new Set(types)], nextMs: later.length > 0 ? Math.min(...later) : null }
    },
    noteHealed(app, types, nowMs) {
      const entry = entries.get(app)
      if (!entry) return
      takeTurns(entry, types, nowMs)
      entry.lacks = entry.lacks.filter(({ type }) => !types.includes(type))
      entry.replacements = entry.replacements.filter(({ type }) => !types.includes(type))
      for (const type of types) entry.troubles.delete(type)
    },
    noteTrouble(app, types, nowMs, trouble) {
      const entry = entries.get(app)
      if (!entry) return
      takeTurns(entry, types, nowMs)
      for (const type of types) entry.troubles.set(type, trouble)
    },
    forget: (app) => void entries.delete(app),
    keepOnly(apps) {
      for (const app of entries.keys()) if (!apps.includes(app)) entries.delete(app)
    },
  }
}

function beginEntry(desired: Desired): Entry {
  const unseen = { ended: new Map(), lacks: [], since: new Map(), replacements: [] }
  return { desired, ...unseen, turns: new Map(), troubles: new Map() }
}

/** When each type may be healed: what is missing in its turn, an unhealthy copy not before its time. */
function healTimes(entry: Entry | undefined): { type: string; atMs: number }[] {
  if (!entry) return []
  const turnOf = (type: string) => dueMs(entry.turns.get(type))
  const missing = entry.lacks.filter((lack) => lack.missing > 0)
  return [
    ...missing.map(({ type }) => ({ type, atMs: turnOf(type) })),
    ...entry.replacements.map(({ type, atMs }) => ({ type, atMs: Math.max(atMs, turnOf(type)) })),
  ]
}

function takeTurns({ turns }: Entry, types: string[], nowMs: number): void {
  for (const type of types) turns.set(type, takeTurn(turns.get(type), nowMs))
}

function isLacking({ lacks }: Entry, type: string): boolean {
  return lacks.some((lack) => lack.type === type)
}

function tellLacks(entry: Entry | undefined): ToldLack[] {
  return (entry?.lacks ?? []).map((lack) => {
    const trouble = entry?.troubles.get(lack.type) ?? null
    const turn = entry?.turns.get(lack.type)
    const nextTry = trouble && turn ? new Date(dueMs(turn)).toISOString() : null
    return { ...lack, trouble, nextTry }
  })
}

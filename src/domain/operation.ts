import type { Receipt } from './deployment.ts'
import { RackError } from './error.ts'

export type OperationKind = 'build' | 'promote' | 'scale' | 'restart' | 'delete' | 'run'

/** A row of the journal: written before the first side effect, closed when all is done or undone. */
export interface Operation {
  id: string
  app: string
  kind: OperationKind
  /** Who asked: the name of the token. */
  actor: string
  status: 'running' | 'complete' | 'failed' | 'cancelled'
  /** Kind-specific facts, e.g. the release to promote and the one that was live. Never a secret. */
  intent: OperationIntent
  started: string
  ended: string | null
  error: { code: string; message: string; hint?: string; details?: unknown } | null
  receipt: Receipt | null
}

export interface OperationIntent {
  release?: string
  previousRelease?: string | null
  build?: string
  process?: string
  /** The formation that was asked for, by type; the live one changes only when the engine has succeeded. */
  formation?: Record<string, { count: number; cpuUnits: number; memoryBytes: number }>
  restart?: { types: string[] | 'all'; at: string }
  volumes?: boolean
}

/** Kinds that change what runs: one at a time per app. */
export const exclusiveKinds: ReadonlySet<OperationKind> = new Set(['promote', 'scale', 'restart', 'delete'])

/** Says who changes the app, and since when. */
export function busyError(running: Operation): RackError {
  const { app, kind, actor, started } = running
  return new RackError('busy', `a ${kind} of "${app}" by ${actor} runs since ${started}`, {
    hint: `Wait until it has ended, or stop it: rack apps cancel ${app}`,
    details: running,
  })
}

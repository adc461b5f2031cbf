import type { Surge } from './admission.ts'
import type { TypeLack } from './app-health.ts'
import type { Receipt } from './deployment.ts'
import { RackError } from './error.ts'
import type { Resources } from './rack.ts'

export type OperationKind =
  | 'build'
  | 'promote'
  | 'scale'
  | 'restart'
  | 'stop'
  | 'delete'
  | 'run'
  | 'heal'
  | 'rollback'
  | 'import'

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
  /** The type of which a run is one more process. */
  process?: string
  /** The timer whose run it is. */
  timer?: string
  /** How the process of a run has ended: it is complete then, whatever the code. */
  exitCode?: number
  /** The formation that was asked for, by type; the live one changes only when the engine has succeeded. */
  formation?: Record<string, { count: number; cpuUnits: number; memoryBytes: number }>
  restart?: { types: string[] | 'all'; at: string }
  /** What is mounted from then on in place of volumes, by the names that the file gives them. */
  mounted?: Record<string, string>
  /** Process ids of copies that are replaced although they are as they should be. */
  leaving?: string[]
  /** Types whose release command this promote runs, and how far each has come. */
  releaseCommands?: { due: string[]; begun: string[]; done: string[] }
  /** All that the app may hold at the change's busiest moment: what was admitted, kept for a daemon that takes it up. */
  reserved?: Resources
  /** How many copies of each type may run beside those that there were: what was admitted. */
  surges?: Record<string, Surge>
  /** Why it has failed, where not all of what was live before is back: there is nothing to go forward to. */
  failure?: NonNullable<Operation['error']>
  volumes?: boolean
  /** What was found lacking, which is brought back. */
  lacks?: TypeLack[]
  /** What an import makes before the app is there: volumes by name, images by their references. Its undo takes that away. */
  imported?: { volumes: string[]; images: string[] }
}

/** Kinds that change what runs: one at a time per app. */
export const exclusiveKinds: ReadonlySet<OperationKind> = new Set([
  'promote',
  'scale',
  'restart',
  'stop',
  'delete',
  'heal',
  'rollback',
  'import',
])

/** Kinds that the rack begins by itself: whatever somebody asks for ends them first, and their app stays what it is. */
export const yieldingKinds: ReadonlySet<OperationKind> = new Set(['heal', 'rollback'])

/** Says who changes the app, and since when. */
export function busyError(running: Operation): RackError {
  const { app, kind, actor, started } = running
  const article = /^[aeiou]/.test(kind) ? 'an' : 'a'
  return new RackError('busy', `${article} ${kind} of "${app}" by ${actor} runs since ${started}`, {
    hint: `Wait until it has ended, or stop it: rack apps cancel ${app}`,
    details: running,
  })
}

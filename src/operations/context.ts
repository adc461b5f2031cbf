import type { Objects } from '../domain/objects.ts'
import type { Engine } from '../domain/engine.ts'
import type { PolicyKeeper } from '../domain/policy.ts'
import type { Store } from '../domain/store.ts'
import type { AdmissionDesk } from './admission-desk.ts'
import type { BuildLogs } from './build-logs.ts'
import type { ImageGate } from './image-gate.ts'
import type { AppTurns } from './journal/app-turns.ts'
import type { RunningOperations } from './journal/running-operations.ts'

/** What every verb works with; made once by `createOperations`. */
export interface Context {
  rack: RackSettings
  store: Store
  engine: Engine
  objects: Objects
  policy: PolicyKeeper
  running: RunningOperations
  turns: AppTurns
  desk: AdmissionDesk
  images: ImageGate
  buildLogs: BuildLogs
  now(): Date
  /** The daemon's own log; never given a secret. */
  log(level: 'info' | 'warn' | 'error', message: string, facts?: Record<string, unknown>): void
}

export interface RackSettings {
  name: string
  version: string
  domain: string
  /** The port of the router's http listener, for addresses that people type. */
  httpPort: number
  /** How many of an app's newest releases keep their images. */
  keepReleases: number
  /** The largest upload of a source, bytes. */
  maxSourceBytes: number
  daemon(): { pid: number }
  router(): Promise<{ pid: number | null }>
  engineVersion(): Promise<{ name: string; version: string }>
}

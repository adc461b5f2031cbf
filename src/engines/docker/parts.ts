import { join } from 'node:path'
import type { Resources } from '../../domain/rack.ts'
import type { AddressPool, AddressStore } from '../../domain/store.ts'
import { createSemaphore, type Semaphore } from '../../lib/semaphore.ts'
import type { DockerClient } from './client.ts'
import { defaultLimits, type ContainerLimits } from './containers/spec/container-spec.ts'
import { openReleaseMarkers, type ReleaseMarkers } from './deploy/release-marker.ts'
import { createLogKeeper, type LogKeeper } from './logs/log-keeper.ts'
import type { Router } from './router/router.ts'

/** What a rack gives its engine. */
export interface DockerEngineOptions {
  docker: DockerClient
  router: Router
  addresses: AddressStore
  /** The rack's name: the first part of every name, and a label. */
  rack: string
  /** The engine's own; logs lie in it. */
  directory: string
  /** What the rack may give to processes. */
  total: Resources
  pool: AddressPool
  randomBytes: (count: number) => Uint8Array
  limits?: ContainerLimits
  /** Where external tcp ports listen; `0.0.0.0` when absent. */
  tcpBind?: string
  /** Most bytes of log kept of one process type; 20 MiB when absent. */
  logBytesPerType?: number
  /** Builds that run at once; 2 when absent. */
  maxBuilds?: number
  /** Hears of failures in the background, which end no call. */
  onTrouble?: (error: unknown) => void
}

/** What the engine's rooms share. */
export interface EngineParts extends Omit<Required<DockerEngineOptions>, 'logBytesPerType' | 'maxBuilds'> {
  logs: LogKeeper
  markers: ReleaseMarkers
  /** Creates and starts at once: more make each other slow. */
  starting: Semaphore
  /** What a copy is about to do, which no container can tell. */
  leaving: Map<string, 'draining' | 'stopping'>
  /** Process ids whose container may not be there yet: a sweep leaves them alone. */
  inFlight: Set<string>
  /** Containers of one-offs whose end somebody waits for. */
  adopted: Set<string>
  /** Ends when the engine is closed. */
  lifetime: AbortSignal
}

/** Creates and starts that run at once. */
const startsAtOnce = 4
const defaultLogBytes = 20 * 1024 * 1024

/** Fills in the defaults. */
export function createParts(options: DockerEngineOptions, lifetime: AbortSignal): EngineParts {
  const { docker, directory, onTrouble = () => undefined } = options
  const { limits = defaultLimits, tcpBind = '0.0.0.0', logBytesPerType = defaultLogBytes } = options
  return {
    ...options,
    limits,
    tcpBind,
    onTrouble,
    lifetime,
    logs: createLogKeeper({
      docker,
      directory: join(directory, 'logs'),
      maxBytesPerType: logBytesPerType,
      onTrouble,
    }),
    markers: openReleaseMarkers(join(directory, 'releases')),
    starting: createSemaphore(startsAtOnce),
    leaving: new Map(),
    inFlight: new Set(),
    adopted: new Set(),
  }
}

import { join } from 'node:path'
import { createSemaphore } from '../../lib/semaphore.ts'
import { createLastExits } from './containers/last-exits.ts'
import { defaultLimits } from './containers/spec/container-spec.ts'
import { createMeasurements } from './deploy/measurements.ts'
import { createReaper } from './deploy/reaper.ts'
import { createHealthKeeper } from './health/health-keeper.ts'
import { createLogKeeper } from './logs/log-keeper.ts'
import { findCopies } from './containers/found-copy.ts'
import { createNameKeeper } from './names/name-keeper.ts'
import type { LogBudget } from '../../domain/parameter.ts'
import type { DockerEngineOptions, EngineParts } from './parts.ts'

/** Creates and starts that run at once. */
const startsAtOnce = 4
const defaultLogBudget: LogBudget = { bytes: 20 * 1024 * 1024, ageMs: null }

/** Fills in the defaults. */
export function createParts(options: DockerEngineOptions, lifetime: AbortSignal): EngineParts {
  const { docker, directory, onTrouble = () => undefined, onEnded = async () => undefined } = options
  const { limits = defaultLimits, tcpBind = '0.0.0.0', logBudget = () => defaultLogBudget } = options
  const parts: EngineParts = {
    ...options,
    limits,
    tcpBind,
    onTrouble,
    onEnded,
    lifetime,
    wayRange: options.wayRange,
    logs: createLogKeeper({
      docker,
      directory: join(directory, 'logs'),
      budget: logBudget,
      onTrouble,
    }),
    names: createNameKeeper({
      table: options.nameTable ?? null,
      addresses: options.addresses,
      pool: options.pool,
      find: async (control) => await findCopies(docker, options.rack, {}, control),
      openedPorts: async () =>
        new Map((await options.router.routes()).map(({ app, udp = [] }) => [app, udp])),
      isInFlight: (processId) => parts.inFlight.has(processId),
      lifetime,
      onTrouble,
    }),
    reaper: createReaper(() => parts),
    health: createHealthKeeper(() => parts),
    exits: createLastExits(),
    measurements: createMeasurements(onTrouble),
    starting: createSemaphore(startsAtOnce),
    joining: createSemaphore(1),
    leaving: new Map(),
    inFlight: new Set(),
    adopted: new Set(),
    marking: new AbortController(),
    watching: new AbortController(),
  }
  return parts
}

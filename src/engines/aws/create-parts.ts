import { lookup as lookupHere } from 'node:dns/promises'
import { createSemaphore } from '../../lib/semaphore.ts'
import { createOwnImages } from '../../aws/registry/own-images.ts'
import { createEndedTasks } from './look/ended-tasks.ts'
import { createTaskWatch } from './look/watch-tasks.ts'
import { usualIntervals, type AwsEngineOptions, type AwsParts } from './parts.ts'

/** As the resolver of the network that this machine is in says. */
async function lookupHost(host: string): Promise<string[]> {
  return (await lookupHere(host, { all: true })).map(({ address }) => address)
}

/** Fills in the defaults. */
export function createParts(options: AwsEngineOptions, lifetime: AbortSignal): AwsParts {
  const { onTrouble = () => undefined, onEnded = async () => undefined } = options
  const { builder = null, lookup = lookupHost, domains = { current: () => [] } } = options
  const intervals = { ...usualIntervals, ...options.intervals }
  const { ecs } = options.clients
  const { cluster } = options.places
  return {
    ...options,
    onTrouble,
    onEnded,
    builder,
    lookup,
    domains,
    certificateNames: new Map(),
    intervals,
    images: createOwnImages(options.clients.images),
    tasks: createTaskWatch({ ecs, cluster, intervalMs: intervals.tasks }, lifetime),
    madeServices: new Set(),
    madeTasks: new Set(),
    registering: createSemaphore(4),
    routing: createSemaphore(1),
    opening: createSemaphore(1),
    network: { balancer: options.places.networkBalancer ?? undefined, turn: createSemaphore(1) },
    web: { further: undefined, hosts: new Map() },
    leavingServices: new Set(),
    preparing: new Set(),
    stackTurns: new Map(),
    adopted: new Set(),
    endedTasks: createEndedTasks(),
    suspects: new Set(),
    fargateCpuUnits: null,
    measurements: new Map(),
    behind: (work) => {
      void work(lifetime).catch((error: unknown) => {
        if (!lifetime.aborted) onTrouble(error)
      })
    },
    lifetime,
  }
}

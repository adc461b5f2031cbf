import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Caller } from '../../src/domain/caller.ts'
import type { Control, Progress } from '../../src/domain/control.ts'
import type { Engine } from '../../src/domain/engine.ts'
import type { Objects } from '../../src/domain/objects.ts'
import { strictPolicy } from '../../src/domain/policy.ts'
import { ofApp } from '../../src/domain/owner.ts'
import type { Process } from '../../src/domain/process.ts'
import type { Store } from '../../src/domain/store.ts'
import { openObjects } from '../../src/objects/directory.ts'
import {
  createOperations,
  type OperationsParts,
  type OperationsRoom,
} from '../../src/operations/create-operations.ts'
import { openCertificates } from '../../src/operations/certificates/certificate-keeper.ts'
import { openOrders } from '../../src/operations/acme/order-keeper.ts'
import { openDomains } from '../../src/operations/domains/domain-keeper.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { openPolicy } from '../../src/operations/policy-keeper.ts'
import { openStore } from '../../src/store/open-store.ts'
import { createMemoryEngine, type MemoryEngine } from './memory-engine.ts'
import { upload } from './upload.ts'

export interface MemoryRack extends RackOn<MemoryEngine> {}

/** Operations on an engine, with a real store. */
export interface RackOn<E extends Engine> extends AsyncDisposable {
  room: OperationsRoom
  operations: Operations
  engine: E
  store: Store
  objects: Objects
  host: OperationsParts['host']
  control: Control
  progress: Progress[]
  /** Builds and promotes a compose text; gives the release. */
  deploy(app: string, compose: string, files?: Record<string, string>): Promise<string>
  build(app: string, compose: string, files?: Record<string, string>): Promise<string>
  /** A second daemon over the same store and engine, as after a SIGKILL of the first; some parts may be others. */
  restart(parts?: Partial<OperationsParts>): Promise<OperationsRoom>
}

/** Who asks in tests, where it does not matter who. */
export const tester: Caller = { name: 'test', role: 'admin', apps: null }

/** A rack with a real store and an engine in memory. */
export async function startMemoryRack(): Promise<MemoryRack> {
  return await startRackOn('rack', (onEnded) => {
    const engine = createMemoryEngine({ settleMs: 5, onEnded })
    makeHasty(engine)
    return engine
  })
}

/** The same on any engine, which the caller closes. */
export async function startRackOn<E extends Engine>(
  name: string,
  makeEngine: (onEnded: (running: Process, operation: string) => Promise<void>) => E,
  { patienceMs = 60_000 } = {},
): Promise<RackOn<E>> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-operations-'))
  const place = { directory: join(directory, 'store'), keyFile: join(directory, 'rack.key') }
  const store = await openStore({ ...place, rack: name })
  const engine = makeEngine((running, operation) => store.endings.add(ofApp(running), operation))
  const objects = await openObjects(join(directory, 'objects'))
  const policy = await openPolicy({
    policies: store.policies,
    seed: strictPolicy,
    checkBinds: async () => undefined,
  })
  const certificates = await openCertificates(store.certificates, name)
  const domains = await openDomains(store.domains)
  const orders = await openOrders(store.acme)
  const rack = {
    name,
    version: '0.0.0',
    domain: 'localhost',
    keepReleases: 3,
    gpus: 0,
    maxSourceBytes: 1024 * 1024,
  }
  const host: OperationsParts['host'] = {
    describe: async () => ({
      http: 'http://localhost:8080',
      https: null,
      daemon: { pid: process.pid },
      router: { pid: null, load: null },
    }),
    configuration: () => ({ name }),
    traffic: async () => ({}),
    disk: async () => ({ totalBytes: 100, freeBytes: 40, storeBytes: 10 }),
    unservedPorts: async () => [],
    updateRouter: async () => undefined,
    withoutCertificates: null,
    nameStates: () => [],
    balancerOf: () => null,
    servesTls: false,
    names: async () => [],
    dnsHook: null,
  }
  const open = (parts: Partial<OperationsParts> = {}) => {
    const own = {
      rack,
      store,
      engine,
      objects,
      policy,
      certificates,
      orders,
      domains,
      host,
      now: () => new Date(),
      log: () => undefined,
    }
    return createOperations({ ...own, ...parts })
  }
  const room = open()
  const progress: Progress[] = []
  const operations = room.operations.as(tester)
  const control: Control = { signal: AbortSignal.timeout(patienceMs), report: (said) => progress.push(said) }
  const build = async (app: string, compose: string, files?: Record<string, string>) => {
    const content = upload(compose, files)
    const made = await operations.buildApp(app, { content, description: null, noCache: false }, control)
    return made.release
  }
  return {
    room,
    operations,
    engine,
    store,
    objects,
    host,
    control,
    progress,
    build,
    async deploy(app, compose, files) {
      const release = await build(app, compose, files)
      await operations.promoteRelease(app, release, { releaseCommand: true }, control)
      return release
    },
    restart: async (parts) => open(parts),
    async [Symbol.asyncDispose]() {
      await room.interrupt()
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Nobody who tests the operations waits for seconds while new copies are watched. */
function makeHasty(engine: MemoryEngine): void {
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, control) => {
    const processes = change.plan.processes.map((processPlan) => ({
      ...processPlan,
      watchMs: Math.min(processPlan.watchMs, longestWatchMs),
    }))
    return await deploy({ ...change, plan: { ...change.plan, processes } }, control)
  }
}

const longestWatchMs = 20

import { EventEmitter, on } from 'node:events'
import type { Control } from '../../src/domain/control.ts'
import type { Engine, OneOff, RunningOneOff } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { appOwner, isSameOwner, ownerKey, readOwnerKey, type Owner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import type { Process, ProcessFilter } from '../../src/domain/process.ts'
import { buildReservation, capacityOf, type Holder, type Resources } from '../../src/domain/rack.ts'
import { unmanagedError, type ManagedService } from '../../src/domain/service.ts'
import type { ShareEntrance } from '../../src/domain/share.ts'
import { dockerFeatures } from '../../src/domain/docker-features.ts'
import type { Terminal } from '../../src/domain/terminal.ts'
import { abortable } from '../../src/lib/deadline.ts'
import { mountedVolumes } from '../../src/domain/volume.ts'
import { aboutMemory, memoryEndpoints } from './memory-about.ts'
import { buildInMemory } from './memory-build.ts'
import { connectTo, reachedBy } from './memory-connect.ts'
import { startCopy, type MemoryCopy } from './memory-copy.ts'
import { rollOut } from '../../src/rollout/roll.ts'
import type { Runtime } from '../../src/rollout/runtime.ts'
import { createMemoryRuntime, type MemoryApp } from './memory-runtime.ts'
import { copyFiles } from './memory-files.ts'
import { createMemoryLog } from './memory-log.ts'
import type { MemoryServer } from './memory-programs.ts'
import { runScript } from './memory-script.ts'
import { createMemoryVolumes } from './memory-volumes.ts'

export interface MemoryEngineOptions {
  /** What the rack has; four cores and 8 GiB when absent. */
  total?: Resources
  /** How long a copy without ports must run to count as healthy; 5 when absent. */
  settleMs?: number
  /** What is there already: that of another engine, whose daemon has died. */
  world?: MemoryWorld
  /** Keeps what became of a one-off, before it is forgotten. */
  onEnded?: (running: Process, operation: string) => Promise<void>
  /** Stands between a rollout and its verbs, such as one that dies in the middle. */
  wrap?: (runtime: Runtime) => Runtime
}

/** All that outlives the engine object. */
export interface MemoryWorld {
  /** By the key of their owner, as `apps`. */
  plans: Map<string, Plan>
  apps: Map<string, MemoryApp>
  images: Set<string>
  /** Of which apps each image is. */
  imageApps: Map<string, Set<string>>
  log: ReturnType<typeof createMemoryLog>
  volumes: ReturnType<typeof createMemoryVolumes>
  /** What databases know, by the key of their owner. */
  servers: Map<string, MemoryServer>
  /** What a cloud runs, by name: as its `features` are told that it does. */
  managed: Map<string, ManagedService>
  /** Names of services whose server was started anew. */
  reboots: string[]
  /** Where other racks come in. */
  entrance: ShareEntrance | null
  /** Says `change` with the key of an owner whose processes may have changed. */
  news: EventEmitter
}

export function createMemoryWorld(): MemoryWorld {
  const apps = new Map<string, MemoryApp>()
  const volumes = createMemoryVolumes((key) => [...(apps.get(key)?.copies.values() ?? [])])
  return {
    plans: new Map(),
    apps,
    images: new Set(),
    imageApps: new Map(),
    log: createMemoryLog(),
    volumes,
    servers: new Map(),
    managed: new Map(),
    reboots: [],
    entrance: null,
    news: new EventEmitter().setMaxListeners(0),
  }
}

export interface MemoryEngine extends Engine {
  /** While false every method throws `engine-unavailable`; what runs, runs on. */
  isReachable: boolean
  world: MemoryWorld
  /** What was made live last of an app. */
  livePlan(app: string): Plan | null
  /** Which processes answer at a host name or an external port. */
  visit(door: string): string[]
  /** What becomes of a copy behind the rack's back: it is taken away, stopped, or its check begins to fail. */
  byHand: { remove(id: string): Promise<void>; stop(id: string): Promise<void>; sicken(id: string): void }
}

/**
 * An engine without containers for tests of everything above the contract. Commands are the words of `runScript`;
 * a build reads the Dockerfiles of its source.
 */
export function createMemoryEngine(options: MemoryEngineOptions = {}): MemoryEngine {
  const { total = { cpuUnits: 4096, memoryBytes: 8 * 1024 ** 3 }, settleMs = 5 } = options
  const { world = createMemoryWorld(), wrap = (runtime) => runtime } = options
  const { onEnded = async () => undefined } = options
  const { apps, images, imageApps, log, volumes } = world
  const keepFor = (app: string, reference: string) =>
    void imageApps.set(reference, (imageApps.get(reference) ?? new Set()).add(app))
  const builds = new Map<string, string>()
  const drains = new Map<string, Promise<unknown>>()

  const appOf = (owner: Owner): MemoryApp => {
    const key = ownerKey(owner)
    const changed = () => void world.news.emit('change', key)
    const app = apps.get(key) ?? { copies: new Map(), routes: new Map(), changed, copiesOf: servedBy }
    apps.set(key, app)
    return app
  }
  const allCopies = () => [...apps.values()].flatMap(({ copies }) => [...copies.values()])
  const copiesOf = (owner: Owner) => [...(apps.get(ownerKey(owner))?.copies.values() ?? [])]
  const servedBy = (name: string) => copiesOf({ kind: 'service', name })
  const around = (owner: Owner) => ({ copies: copiesOf(owner), copiesOf: servedBy })
  const running = () =>
    allCopies().filter(({ process: running }) => running.exitCode === null || running.status === 'restarting')
  const find = (id: string): MemoryCopy => {
    const found = allCopies().find(({ process: running }) => running.id === id)
    if (!found) throw new RackError('not-found', `no process ${id}`, { hint: 'List them: rack ps' })
    return found
  }
  const removeOwner = async (owner: Owner) => {
    const copies = [...appOf(owner).copies.values()]
    apps.delete(ownerKey(owner))
    world.plans.delete(ownerKey(owner))
    await Promise.all(copies.map((copy) => copy.halt('stopped')))
    world.news.emit('change', ownerKey(owner))
    log.forget(owner)
    return copies.length
  }

  const engine: MemoryEngine = {
    features: dockerFeatures,
    isReachable: true,
    world,
    livePlan: (app) => world.plans.get(app) ?? null,
    visit: (door) => [...apps.values()].flatMap(({ routes }) => routes.get(door)?.processes ?? []),

    byHand: {
      async remove(id) {
        const copy = find(id)
        const app = appOf(copy.process.owner)
        app.copies.delete(id)
        await copy.halt('killed')
        app.changed()
      },
      async stop(id) {
        const copy = find(id)
        await copy.halt('stopped')
        copy.process.status = 'stopped'
        appOf(copy.process.owner).changed()
      },
      sicken(id) {
        const copy = find(id)
        copy.process.status = 'unhealthy'
        appOf(copy.process.owner).changed()
      },
    },

    async about(control) {
      ready(control)
      return aboutMemory
    },
    endpoints: memoryEndpoints,

    async capacity(control) {
      ready(control)
      return capacityOf(total, [...holdersOf(running()), ...buildHolders(builds)])
    },

    async build(request, control) {
      ready(control)
      builds.set(request.build, request.app)
      try {
        const built = await endingWith(control, buildInMemory(request, control))
        for (const { reference } of Object.values(built)) {
          images.add(reference)
          keepFor(request.app, reference)
        }
        return built
      } finally {
        builds.delete(request.build)
      }
    },

    async tryLogin({ host, username, password }, control) {
      ready(control)
      if (password === 'wrong') throw new RackError('invalid', `${host} refuses the login of ${username}`)
    },

    // Nobody else has anything here.
    obstacles: async () => [],
    additions: async () => [],
    nameObstacles: () => [],

    async deploy(change, control) {
      ready(control)
      const { owner, volumes: names } = change.plan
      volumes.ensure(owner, names)
      const app = appOf(owner)
      const runtime = createMemoryRuntime({ owner, app, log, settleMs })
      const receipt = await rollOut(wrap(runtime), change, control)
      world.plans.set(ownerKey(owner), change.plan)
      const draining = receipt.draining.filter((id) => (app.copies.get(id)?.held.size ?? 0) > 0)
      if (draining.length === 0) return { ...receipt, requests: 0, failed: 0, draining }
      const measurement = draining.join()
      drains.set(measurement, Promise.all(receipt.draining.flatMap((id) => app.copies.get(id)?.ended ?? [])))
      return { ...receipt, draining, measurement }
    },

    async measure(measurement, control) {
      ready(control)
      await abortable(drains.get(measurement) ?? Promise.resolve(), control.signal)
      return { requests: 0, failed: 0, longestStallMs: null, held: null }
    },

    async remove(owner, options, control) {
      ready(control)
      await removeOwner(owner)
      if (options.volumes) {
        volumes.removeAll((other) => isSameOwner(other, owner))
        world.servers.delete(ownerKey(owner))
      }
    },

    async processes(filter, control) {
      ready(control)
      const found = allCopies().filter((copy) => matches(filter, copy))
      return found.map(({ process: running }) => ({
        ...running,
        ...(filter.stats ? { cpuPercent: 0, memoryPercent: 0 } : {}),
      }))
    },

    async usage({ owner }, control) {
      ready(control)
      const found = allCopies().filter(({ process: running }) => running.status === 'running')
      return found
        .filter(({ process: running }) => owner === undefined || isSameOwner(running.owner, owner))
        .map(({ process: running, createdMs }) => ({
          process: running.id,
          time: new Date().toISOString(),
          // A script that waits takes nothing that could be told from this.
          cpuSeconds: (Date.now() - createdMs) / 1e6,
          memoryBytes: 2 ** 20,
          memoryLimitBytes: running.memoryBytes,
        }))
    },

    async *watch(control) {
      ready(control)
      const news = on(world.news, 'change', { signal: control.signal })
      yield null
      for await (const [key] of news as AsyncIterable<[string]>) {
        ready(control)
        yield readOwnerKey(key)
      }
    },

    async run(oneOff, terminal, control) {
      ready(control)
      return runOneOff(oneOff, terminal, control)
    },

    async exec(id, command, terminal, control) {
      ready(control)
      const { process: running, plan, files } = find(id)
      if (running.exitCode !== null) throw new RackError('conflict', `process ${id} does not run`)
      const { input } = terminal
      const output = async (stream: 'stdout' | 'stderr', bytes: Uint8Array) =>
        await terminal.output(stream, bytes)
      const { owner } = running
      const reach = (host: string, port: number) => reachedBy(plan, around(owner), host, port)
      const about = { environment: plan.environment, files, reach, server: serverOf(world, owner) }
      return await runScript(command, { ...about, input, output, listen: () => {} }, control.signal)
    },

    async stop(id, control) {
      ready(control)
      const copy = find(id)
      if (copy.process.kind === 'process') throw new RackError('conflict', `${id} leaves by a deploy`)
      await copy.halt('stopped')
    },

    async copy(id, path, archive, control) {
      ready(control)
      await copyFiles(find(id).files, path, archive)
    },

    async *logs(query, control) {
      ready(control)
      yield* log.read(query, control.signal)
    },

    async provision(managed, control) {
      ready(control)
      const { name, kind, password } = managed
      if (!this.features.managedServices.includes(kind)) throw unmanagedError(managed)
      world.managed.set(name, managed)
      return {
        scheme: kind,
        host: `${name}.cloud`,
        port: 5432,
        path: '',
        username: 'postgres',
        password,
        authorities: null,
      }
    },

    async deprovision({ name }, control) {
      ready(control)
      return world.managed.delete(name) ? `last-of-${name}` : null
    },

    async reboot(service, control) {
      ready(control)
      if (!world.managed.has(service.name)) throw unmanagedError(service)
      world.reboots.push(service.name)
    },

    async openEntrance(entrance, control) {
      ready(control)
      world.entrance = entrance
    },

    async connect({ owner, host, port }, control) {
      ready(control)
      return connectTo([...(apps.get(ownerKey(owner))?.copies.values() ?? [])], { owner, host, port })
    },

    async volumes(filter, control) {
      ready(control)
      return volumes.list(filter)
    },

    async removeVolume(owner, name, control) {
      ready(control)
      volumes.remove(owner, name)
    },

    async copyVolume(owner, name, archive, control) {
      ready(control)
      await volumes.copy(owner, name, archive)
    },

    async saveImages({ references }, out, control) {
      ready(control)
      const gone = references.find((reference) => !isHere(reference))
      if (gone !== undefined) throw new RackError('image-unavailable', `${gone} is not here any more`)
      await out(Buffer.from(JSON.stringify(references)))
    },

    async loadImages({ open, of }, control) {
      ready(control)
      const held = JSON.parse(Buffer.concat(await Array.fromAsync(open())).toString()) as string[]
      const wanted = (of?.images ?? []).map(({ reference }) => reference)
      const lacking = wanted.find((reference) => !held.includes(reference))
      if (lacking !== undefined) throw new RackError('invalid', `${lacking} is not among them`)
      for (const reference of held) images.add(reference)
      return new Map(wanted.map((reference) => [reference, reference]))
    },

    calledHere: (_app, { reference }) => reference,

    async imagesHere(references, control) {
      ready(control)
      return new Set(references.filter(isHere))
    },

    async nameImages({ app, images: named }, control) {
      ready(control)
      for (const { reference } of Object.values(named)) {
        if (!isHere(reference)) throw new RackError('image-unavailable', `${reference} is not here`)
        keepFor(app, reference)
      }
    },

    async forgetImages(app, references, control) {
      ready(control)
      const own = [...imageApps].flatMap(([reference, names]) => (names.delete(app) ? [reference] : []))
      const isNobodys = (reference: string) => (imageApps.get(reference)?.size ?? 0) === 0
      for (const reference of [...own, ...references].filter(isNobodys)) images.delete(reference)
    },

    async sweep(keep, control) {
      ready(control)
      const isStranger = (owner: Owner) => !keep.owners.some((kept) => isSameOwner(kept, owner))
      const strangers = Array.from(apps.keys(), readOwnerKey).filter(isStranger)
      const removed = await Promise.all(strangers.map(removeOwner))
      const dropped = [...images].filter((image) => !keep.images.includes(image))
      for (const image of dropped) images.delete(image)
      const containers = removed.reduce((sum, count) => sum + count, 0)
      const swept = keep.volumes ? volumes.removeAll(isStranger) : 0
      return { images: dropped.length, containers, networks: removed.length, volumes: swept, bytes: 0 }
    },
  }
  return engine

  function isHere(image: string): boolean {
    const copies = [...apps.values()].flatMap((each) => [...each.copies.values()])
    return images.has(image) || copies.some(({ plan }) => plan.image === image)
  }

  function ready({ signal }: Control): void {
    signal.throwIfAborted()
    if (!engine.isReachable) {
      throw new RackError('engine-unavailable', 'the in-memory engine is switched off')
    }
  }

  function runOneOff(oneOff: OneOff, terminal: Terminal | null, control: Control): RunningOneOff {
    const { owner, process: plan, ...rest } = oneOff
    const app = appOf(owner)
    volumes.ensure(owner, mountedVolumes(plan))
    const reach = (host: string, port: number) => reachedBy(plan, around(owner), host, port)
    const copy = startCopy({ owner, plan, ...rest, terminal, log, reach, changed: app.changed })
    app.copies.set(copy.process.id, copy)
    app.changed()
    const kill = () => void copy.halt('killed')
    if (terminal) control.signal.addEventListener('abort', kill, { once: true })
    const timer = oneOff.timeoutMs === null ? undefined : setTimeout(kill, oneOff.timeoutMs)
    const finish = async () => {
      const code = await copy.ended
      clearTimeout(timer)
      control.signal.removeEventListener('abort', kill)
      const isKept = await onEnded({ ...copy.process }, oneOff.operation).then(
        () => true,
        () => false,
      )
      if (isKept) app.copies.delete(copy.process.id)
      app.changed()
      return code
    }
    return { process: { ...copy.process }, exit: finish() }
  }
}

function serverOf({ servers }: MemoryWorld, owner: Owner): MemoryServer {
  const key = ownerKey(owner)
  const server = servers.get(key) ?? { logins: new Map(), data: new Set() }
  servers.set(key, server)
  return server
}

/** What an aborted call throws is the cancellation, whatever was going on. */
async function endingWith<T>({ signal }: Control, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!signal.aborted) throw error
    if (signal.reason instanceof RackError) throw signal.reason
    throw new RackError('cancelled', 'cancelled', { cause: error })
  }
}

function matches(filter: ProcessFilter, { process: running, operation }: MemoryCopy): boolean {
  return (
    (filter.owner === undefined || isSameOwner(filter.owner, running.owner)) &&
    (filter.type === undefined || filter.type === running.type) &&
    (filter.id === undefined || filter.id === running.id) &&
    (filter.operation === undefined || filter.operation === operation)
  )
}

function holdersOf(copies: MemoryCopy[]): Holder[] {
  const holders = new Map<string, Holder>()
  for (const { process: running, mark } of copies) {
    const { owner, type, cpuUnits, memoryBytes } = running
    const staff = mark === 'draining' ? 'draining' : 'process'
    const kind = running.kind === 'process' ? staff : 'one-off'
    const key = JSON.stringify([ownerKey(owner), type, kind, cpuUnits, memoryBytes])
    const holder = holders.get(key) ?? { owner, type, kind, count: 0, each: { cpuUnits, memoryBytes } }
    holder.count++
    holders.set(key, holder)
  }
  return [...holders.values()]
}

function buildHolders(builds: Map<string, string>): Holder[] {
  return [...builds.values()].map((app) => ({
    owner: appOwner(app),
    type: 'build',
    kind: 'build',
    count: 1,
    each: buildReservation,
  }))
}

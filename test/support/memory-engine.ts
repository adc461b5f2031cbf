import type { Control } from '../../src/domain/control.ts'
import type { Duplex, Engine, OneOff, RunningOneOff } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import type { Plan } from '../../src/domain/plan.ts'
import type { ProcessFilter } from '../../src/domain/process.ts'
import { buildReservation, capacityOf, type Holder, type Resources } from '../../src/domain/rack.ts'
import type { ServiceSpec } from '../../src/domain/service.ts'
import type { Terminal } from '../../src/domain/terminal.ts'
import { mountedVolumes } from '../../src/domain/volume.ts'
import { buildInMemory } from './memory-build.ts'
import { startCopy, type MemoryCopy } from './memory-copy.ts'
import { deployInMemory, type MemoryApp } from './memory-deploy.ts'
import { copyFiles } from './memory-files.ts'
import { createMemoryLog } from './memory-log.ts'
import { runScript } from './memory-script.ts'
import { createMemoryVolumes } from './memory-volumes.ts'

export interface MemoryEngineOptions {
  /** What the rack has; four cores and 8 GiB when absent. */
  total?: Resources
  /** How long a copy without ports must run to count as healthy; 5 when absent. */
  settleMs?: number
}

export interface MemoryEngine extends Engine {
  /** While false every method throws `engine-unavailable`; what runs, runs on. */
  isReachable: boolean
  /** The live plan of an app. */
  livePlan(app: string): Plan | null
}

/**
 * An engine without containers for tests of everything above the contract. Commands are the words of `runScript`;
 * a build reads the Dockerfiles of its source.
 */
export function createMemoryEngine(options: MemoryEngineOptions = {}): MemoryEngine {
  const { total = { cpuUnits: 4096, memoryBytes: 8 * 1024 ** 3 }, settleMs = 5 } = options
  const apps = new Map<string, MemoryApp>()
  const services = new Map<string, ServiceSpec>()
  const images = new Set<string>()
  const log = createMemoryLog()
  const builds = new Map<string, string>()
  const volumes = createMemoryVolumes((app) => copiesOf(apps.get(app) ?? nothing))

  const appOf = (name: string): MemoryApp => {
    const app = apps.get(name) ?? { plan: null, copies: [], others: new Set() }
    apps.set(name, app)
    return app
  }
  const copiesOf = (app: MemoryApp) => [...app.copies, ...app.others]
  const allCopies = () => [...apps.values()].flatMap(copiesOf)
  const running = () =>
    allCopies().filter(({ process }) => process.exitCode === null || process.status === 'restarting')
  const find = (id: string): MemoryCopy => {
    const found = allCopies().find(({ process }) => process.id === id)
    if (!found) throw new RackError('not-found', `no process ${id}`, { hint: 'List them: rack ps' })
    return found
  }
  const removeApp = async (name: string) => {
    const copies = copiesOf(appOf(name))
    apps.delete(name)
    await Promise.all(copies.map((copy) => copy.halt('stopped')))
    log.forget(name)
    return copies.length
  }

  const engine: MemoryEngine = {
    isReachable: true,
    livePlan: (app) => apps.get(app)?.plan ?? null,

    async capacity(control) {
      ready(control)
      return capacityOf(total, [
        ...holdersOf(running()),
        ...serviceHolders(services),
        ...buildHolders(builds),
      ])
    },

    async build(request, control) {
      ready(control)
      builds.set(request.build, request.app)
      try {
        const built = await endingWith(control, buildInMemory(request, control))
        for (const { digest } of Object.values(built)) images.add(digest)
        return built
      } finally {
        builds.delete(request.build)
      }
    },

    async deploy(plan, control) {
      ready(control)
      volumes.ensure(plan.app, plan.volumes)
      return await endingWith(control, deployInMemory({ app: appOf(plan.app), plan, log, settleMs, control }))
    },

    async remove(app, options, control) {
      ready(control)
      await removeApp(app)
      if (options.volumes) volumes.removeAll((owner) => owner === app)
    },

    async processes(filter, control) {
      ready(control)
      const found = allCopies().filter((copy) => matches(filter, copy))
      return found.map(({ process }) => ({
        ...process,
        ...(filter.stats ? { cpuPercent: 0, memoryPercent: 0 } : {}),
      }))
    },

    async run(oneOff, terminal, control) {
      ready(control)
      return runOneOff(oneOff, terminal, control)
    },

    async exec(id, command, terminal, control) {
      ready(control)
      const { process, plan } = find(id)
      if (process.exitCode !== null) throw new RackError('conflict', `process ${id} does not run`)
      const { input } = terminal
      const output = async (stream: 'stdout' | 'stderr', bytes: Uint8Array) =>
        await terminal.output(stream, bytes)
      const host = { environment: plan.environment, input, output, listen: () => {} }
      return await runScript(command, host, control.signal)
    },

    async stop(id, control) {
      ready(control)
      const copy = find(id)
      await copy.halt('stopped')
      const app = appOf(copy.process.app)
      app.others.delete(copy)
      app.copies = app.copies.map((each) => (each === copy ? replace(copy) : each))
    },

    async copy(id, path, archive, control) {
      ready(control)
      await copyFiles(find(id).files, path, archive)
    },

    async *logs(query, control) {
      ready(control)
      yield* log.read(query, control.signal)
    },

    async provision(service, control) {
      ready(control)
      services.set(service.name, service)
      return { scheme: 'tcp', host: service.name, port: service.port, path: '', username: '', password: '' }
    },

    async deprovision(service, control) {
      ready(control)
      services.delete(service)
    },

    async connect({ app, host, port }, control) {
      ready(control)
      const target = apps
        .get(app)
        ?.copies.find(({ plan }) => plan.type === host || plan.aliases.includes(host))
      const status = target?.listening.get(port) ?? target?.listening.get(null)
      if (status === undefined)
        throw new RackError('unreachable', `nothing listens at ${host}:${port} of ${app}`)
      return answerOnce(status)
    },

    async volumes(filter, control) {
      ready(control)
      return volumes.list(filter)
    },

    async removeVolume(app, name, control) {
      ready(control)
      volumes.remove(app, name)
    },

    async sweep(keep, control) {
      ready(control)
      const removed = await Promise.all(
        [...apps.keys()].filter((app) => !keep.apps.includes(app)).map(removeApp),
      )
      const dropped = [...images].filter((image) => !keep.images.includes(image))
      for (const image of dropped) images.delete(image)
      const containers = removed.reduce((sum, count) => sum + count, 0)
      const swept = keep.volumes ? volumes.removeAll((owner) => !keep.apps.includes(owner)) : 0
      return { images: dropped.length, containers, networks: removed.length, volumes: swept, bytes: 0 }
    },
  }
  return engine

  function ready({ signal }: Control): void {
    signal.throwIfAborted()
    if (!engine.isReachable) {
      throw new RackError('engine-unavailable', 'the in-memory engine is switched off')
    }
  }

  function replace({ process, plan }: MemoryCopy): MemoryCopy {
    const { app, release, kind, command } = process
    const copy = startCopy({ app, release, kind, plan, command, terminal: null, log })
    copy.keep()
    return copy
  }

  function runOneOff(oneOff: OneOff, terminal: Terminal | null, control: Control): RunningOneOff {
    const { app: name, process: plan, ...rest } = oneOff
    const app = appOf(name)
    volumes.ensure(name, mountedVolumes(plan))
    const copy = startCopy({ app: name, plan, ...rest, terminal, log })
    app.others.add(copy)
    const kill = () => void copy.halt('killed')
    if (terminal) control.signal.addEventListener('abort', kill, { once: true })
    const timer = oneOff.timeoutMs === null ? undefined : setTimeout(kill, oneOff.timeoutMs)
    const exit = copy.ended.finally(() => {
      clearTimeout(timer)
      control.signal.removeEventListener('abort', kill)
      app.others.delete(copy)
    })
    return { process: { ...copy.process }, exit }
  }
}

const nothing: MemoryApp = { plan: null, copies: [], others: new Set() }

/** What an aborted call throws is the cancellation, whatever was going on. */
async function endingWith<T>({ signal }: Control, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!signal.aborted) throw error
    if (signal.reason instanceof RackError) throw signal.reason
    throw new RackError('cancelled', 'cancelled; what ran before still runs', { cause: error })
  }
}

function matches(filter: ProcessFilter, { process }: MemoryCopy): boolean {
  return (
    (filter.app === undefined || filter.app === process.app) &&
    (filter.type === undefined || filter.type === process.type) &&
    (filter.id === undefined || filter.id === process.id)
  )
}

function holdersOf(copies: MemoryCopy[]): Holder[] {
  const holders = new Map<string, Holder>()
  for (const { process } of copies) {
    const { app, type, cpuUnits, memoryBytes } = process
    const kind = process.kind === 'process' ? 'process' : 'one-off'
    const key = JSON.stringify([app, type, kind, cpuUnits, memoryBytes])
    const holder = holders.get(key) ?? { app, type, kind, count: 0, each: { cpuUnits, memoryBytes } }
    holder.count++
    holders.set(key, holder)
  }
  return [...holders.values()]
}

function serviceHolders(services: Map<string, ServiceSpec>): Holder[] {
  return [...services.values()].map(({ name, cpuUnits, memoryBytes }) => ({
    app: name,
    type: name,
    kind: 'service',
    count: 1,
    each: { cpuUnits, memoryBytes },
  }))
}

function buildHolders(builds: Map<string, string>): Holder[] {
  return [...builds.values()].map((app) => ({
    app,
    type: 'build',
    kind: 'build',
    count: 1,
    each: buildReservation,
  }))
}

function answerOnce(status: number): Duplex {
  const asked = Promise.withResolvers<void>()
  async function* output() {
    await asked.promise
    yield Buffer.from(`HTTP/1.0 ${status} ${status === 200 ? 'OK' : 'Not Found'}\r\n\r\nok\n`)
  }
  return {
    input: async () => asked.resolve(),
    end: () => asked.resolve(),
    output: output(),
    close: () => asked.resolve(),
  }
}

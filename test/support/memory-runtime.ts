import type { Control } from '../../src/domain/control.ts'
import type { Owner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { abortable } from '../../src/lib/deadline.ts'
import { mountedVolumes } from '../../src/domain/volume.ts'
import type { CopyOrder, ObservedCopy, ProbeTarget, Runtime } from '../../src/rollout/runtime.ts'
import { reachedBy } from './memory-connect.ts'
import { startCopy, type MemoryCopy } from './memory-copy.ts'
import type { MemoryLog } from './memory-log.ts'
import { killed, runScript } from './memory-script.ts'

/** An app or a service of the in-memory engine: all of it outlives the engine object, as containers outlive a daemon. */
export interface MemoryApp {
  /** Of a service, which copies of the app may be led to. */
  copiesOf: (service: string) => MemoryCopy[]
  /** Copies of types, release commands and one-offs, by process id. */
  copies: Map<string, MemoryCopy>
  /** What the router sends requests to, by host name or external port. */
  routes: Map<string, MemoryRoute>
  /** Says that processes may have changed. */
  changed: () => void
}

/** What is behind one host name or external port. */
export interface MemoryRoute {
  /** On which the processes listen. */
  port: number
  processes: string[]
}

export interface MemoryRuntimeOptions {
  owner: Owner
  app: MemoryApp
  log: MemoryLog
  settleMs: number
}

/** The rollout's verbs on copies in memory. */
export function createMemoryRuntime({ owner, app, log, settleMs }: MemoryRuntimeOptions): Runtime {
  const copyOf = ({ process: processId }: Pick<ObservedCopy, 'process'>): MemoryCopy =>
    app.copies.get(processId)!

  const begin = (
    order: CopyOrder,
    kind: 'process' | 'release-command',
    command: string[] | null,
  ): MemoryCopy => {
    const { plan, process: processPlan, identity, names } = order
    const { changed } = app
    const reach = (host: string, port: number) =>
      reachedBy(processPlan, { ...app, copies: [...app.copies.values()] }, host, port)
    const about = { owner, release: plan.release, kind, plan: processPlan, identity, names, changed, reach }
    const copy = startCopy({ ...about, command: command ?? [], terminal: null, log })
    app.copies.set(copy.process.id, copy)
    changed()
    return copy
  }

  /** After its connections, and after others that drain and may still call it. */
  const leave = async (copy: MemoryCopy, callers: MemoryCopy[] = []): Promise<void> => {
    const busy = callers.filter(({ held }) => held.size > 0)
    await Promise.all([drained(copy), ...busy.map(({ ended }) => ended)])
    await copy.halt('stopped')
    app.copies.delete(copy.process.id)
    app.changed()
  }

  return {
    settleMs,
    identify: (text) => text,

    // Nothing is gained by making it beforehand.
    prepare: async () => undefined,

    async find() {
      for (const copy of app.copies.values()) if (copy.mark === 'draining') void leave(copy)
      return { copies: Array.from(app.copies.values(), observe), routed: routedOf(app) }
    },

    start: async (order) => observe(begin(order, 'process', order.process.command)),

    async command(order, mayStart) {
      const isOwn = ({ process: running, plan }: MemoryCopy) =>
        running.kind === 'release-command' &&
        plan.type === order.process.type &&
        running.release === order.plan.release
      const begun = [...app.copies.values()].find(isOwn)
      if (begun || !mayStart) return begun ? observe(begun) : null
      return observe(begin(order, 'release-command', order.process.releaseCommand))
    },

    async revive(observed) {
      const copy = copyOf(observed)
      if (copy.process.exitCode !== null) copy.resume()
      return observe(copy)
    },

    probe: async (observed, target) => probe(copyOf(observed), target),

    async check(observed, command, _timeoutMs, { signal }) {
      const { plan, files } = copyOf(observed)
      const host = {
        environment: plan.environment,
        files,
        input: null,
        output: async () => {},
        listen: () => {},
      }
      const code = await runScript(command, host, signal)
      return { isGood: code === 0, answered: true, text: `the health check exited with ${code}` }
    },

    async ended(observed, { signal }) {
      const copy = copyOf(observed)
      const code = await abortable(Promise.race([copy.ended, copy.nextEnd()]), signal)
      return { code, isOutOfMemory: code === killed }
    },

    lastLines: async ({ process: processId }) => log.last(processId, 20),

    async name(observed, names) {
      copyOf(observed).names = names
    },

    async settle(observed, { restart }) {
      const copy = copyOf(observed)
      const hasEnded = copy.process.exitCode !== null
      if (observed.state === 'ended' || (hasEnded && copy.process.exitCode === 0 && restart !== 'always')) {
        copy.mark = 'completed'
      } else if (!hasEnded) copy.keep()
      return observe(copy)
    },

    async route(plan, processes) {
      app.routes = routesOf(
        plan,
        processes.map((processId) => app.copies.get(processId)!),
      )
    },

    async park(copies, gap) {
      for (const observed of copies) {
        const copy = copyOf(observed)
        unroute(app, observed.process)
        copy.mark = 'parked'
        copy.names = []
        await drained(copy, gap?.longestDrainMs)
        await copy.halt('stopped')
      }
    },

    vacate: async (copies, { signal }: Control) => {
      await abortable(Promise.all(copies.map(async (copy) => await leave(copyOf(copy)))), signal)
    },

    async retire(copies) {
      const leaving = copies.map(copyOf)
      for (const copy of leaving) copy.mark = 'draining'
      const all = [...app.copies.values()].filter(({ process: running }) => running.kind === 'process')
      const staying = new Set(all.filter(({ mark }) => mark !== 'draining').map(({ plan }) => plan.type))
      const callers = all.filter(({ mark, plan }) => mark === 'draining' && staying.has(plan.type))
      for (const copy of leaving) {
        unroute(app, copy.process.id)
        const isDropped = !staying.has(copy.plan.type)
        if (!isDropped) copy.names = []
        if (copy.process.exitCode === null) copy.process.status = 'draining'
        app.changed()
        void leave(copy, isDropped ? callers : [])
      }
    },

    async remove(copies) {
      for (const { process: processId } of copies) {
        const copy = app.copies.get(processId)
        app.copies.delete(processId)
        unroute(app, processId)
        await copy?.halt('killed')
        app.changed()
      }
    },
  }
}

/** Settles when nobody is connected any more, at the end of its drain at the latest. */
async function drained({ held, plan }: MemoryCopy, longestMs = Infinity): Promise<void> {
  if (held.size === 0) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, Math.min(plan.drainTimeoutMs, longestMs)).unref()
  await Promise.race([promise, Promise.all(held)])
  clearTimeout(timer)
}

function observe(copy: MemoryCopy): ObservedCopy {
  const { process: running, plan, identity, createdMs, mark, names, endedByItself } = copy
  const state =
    running.status === 'restarting' ? 'restarting' : running.exitCode === null ? 'running' : 'ended'
  return {
    process: running.id,
    type: plan.type,
    kind: running.kind,
    release: running.release,
    identity,
    createdMs,
    state,
    exitCode: running.exitCode,
    endedByItself: state === 'ended' && endedByItself,
    mark,
    names,
    drainMs: plan.drainTimeoutMs,
    volumes: mountedVolumes(plan),
  }
}

function probe({ listening }: MemoryCopy, { port, path }: ProbeTarget) {
  const listener = listening.get(port) ?? listening.get(null)
  if (!listener) return { isGood: false, answered: false, text: `connection refused on ${port}` }
  const { status } = listener
  const isGood = path === null || (status >= 200 && status < 400)
  const text = path === null ? `connected to ${port}` : `GET ${path} on ${port} answered ${status}`
  return { isGood, answered: true, text }
}

/** By host name for http, by number for any other external port. */
function routesOf({ processes }: Plan, copies: MemoryCopy[]): MemoryApp['routes'] {
  const routes: MemoryApp['routes'] = new Map()
  for (const { type, ports, hosts } of processes) {
    const own = copies.filter(({ plan }) => plan.type === type).map(({ process: running }) => running.id)
    for (const { external, container, protocol } of ports) {
      if (external === null) continue
      const doors = protocol === 'http' ? hosts : [String(external)]
      // Host names tell types apart, not the ports of one: the first is the one.
      for (const door of doors) if (!routes.has(door)) routes.set(door, { port: container, processes: own })
    }
  }
  return routes
}

function unroute(app: MemoryApp, processId: string): void {
  for (const [door, { port, processes }] of app.routes) {
    app.routes.set(door, { port, processes: processes.filter((each) => each !== processId) })
  }
}

function routedOf({ routes }: MemoryApp): string[] {
  return [...new Set([...routes.values()].flatMap(({ processes }) => processes))]
}

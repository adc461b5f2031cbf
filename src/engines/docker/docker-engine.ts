import { join } from 'node:path'
import type { Control } from '../../domain/control.ts'
import type { Engine } from '../../domain/engine.ts'
import { RackError } from '../../domain/error.ts'
import type { Plan } from '../../domain/plan.ts'
import { createSemaphore, type Semaphore } from '../../lib/semaphore.ts'
import { createImageBuilder } from './images/image-builder.ts'
import { cancelled } from './cancelled.ts'
import { readCapacity } from './capacity.ts'
import { connectInside } from './connect.ts'
import { defaultLimits } from './container-spec.ts'
import { removeCopy, stopCopy, toCopy } from './copies.ts'
import { copyFiles } from './copy-files.ts'
import { deployPlan } from './deploy.ts'
import { waitForLoss } from './engine-loss.ts'
import { execInCopy } from './exec.ts'
import { findCopies, type FoundCopy } from './found-copy.ts'
import { createLogKeeper } from './logs/log-keeper.ts'
import { adoptOneOffs, runOneOff } from './one-off.ts'
import type { DockerEngineOptions, EngineParts } from './parts.ts'
import { listProcesses } from './processes.ts'
import { openReleaseMarkers } from './release-marker.ts'
import { removeApp } from './remove-app.ts'
import { sweepRack } from './sweep.ts'

/** Creates and starts that run at once. */
const startsAtOnce = 4
const defaultLogBytes = 20 * 1024 * 1024

/** An engine on one machine, with what only its owner needs. */
export interface DockerEngine extends Engine {
  /**
   * Takes up what runs: goes on copying logs and waiting for one-offs. To be called at the start, and again whenever
   * Docker has come back.
   */
  start(control: Control): Promise<void>
  /** Settles when Docker, there now, has gone away or been restarted; rejects when the signal ends. */
  waitForLoss(control: Control): Promise<void>
  /** Lets go of everything; processes run on. */
  close(): Promise<void>
}

/** Makes the engine of a rack on one machine; nothing is touched before the first call. */
export function createDockerEngine(options: DockerEngineOptions): DockerEngine {
  const closing = new AbortController()
  const parts = createParts(options, closing.signal)
  const builder = createImageBuilder({
    docker: parts.docker,
    rack: parts.rack,
    maxConcurrentBuilds: options.maxBuilds,
  })
  const livePlans = new Map<string, Plan>()
  const change = createTurns()
  return {
    capacity: (control) => guarded(control, () => readCapacity(parts, builder.running(), control)),
    build: (request, control) => builder.build(request, control),
    deploy: (plan, control) =>
      change(plan.app, control, async () => {
        const receipt = await deployPlan(parts, plan, control)
        livePlans.set(plan.app, plan)
        return receipt
      }),
    remove: (app, how, control) =>
      change(app, control, async () => {
        livePlans.delete(app)
        await removeApp(parts, app, how, control)
      }),
    processes: (filter, control) => guarded(control, () => listProcesses(parts, filter, control)),
    run: (oneOff, terminal, control) => guarded(control, () => runOneOff(parts, oneOff, terminal, control)),
    async exec(process, command, terminal, control) {
      return await execInCopy(
        parts.docker,
        await findOne(parts, process, control),
        { command, terminal },
        control,
      )
    },
    async stop(process, control) {
      const copy = await findOne(parts, process, control)
      await change(copy.app, control, () => stopProcess(parts, copy, livePlans.get(copy.app), control))
    },
    async copy(process, path, archive, control) {
      await copyFiles(parts.docker, await findOne(parts, process, control), { path, archive }, control)
    },
    logs: (query, control) => parts.logs.read(query, control),
    provision: () => refuseServices(),
    deprovision: () => refuseServices(),
    connect: (address, control) => guarded(control, () => connectInside(parts, address, control)),
    sweep: (keep, control) => guarded(control, () => sweepRack(parts, keep, control)),
    start: (control) => takeUp(parts, control),
    waitForLoss: (control) => waitForLoss(parts, control),
    async close() {
      closing.abort(new RackError('cancelled', 'the rack is stopping'))
      await parts.logs.close()
    },
  }
}

function createParts(options: DockerEngineOptions, lifetime: AbortSignal): EngineParts {
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

/** One change at a time per app: a stop in the middle of a deploy would see half of it. */
function createTurns() {
  const turns = new Map<string, Semaphore>()
  return async <T>(app: string, control: Control, task: () => Promise<T>): Promise<T> => {
    const turn = turns.get(app) ?? createSemaphore(1)
    turns.set(app, turn)
    return await guarded(control, () => turn.run(task, control.signal))
  }
}

/** What an ended signal throws is the cancellation, whatever was going on. */
async function guarded<T>({ signal }: Control, task: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted()
    return await task()
  } catch (error) {
    if (!signal.aborted || error instanceof RackError) throw error
    throw cancelled(signal)
  }
}

async function findOne(parts: EngineParts, process: string, control: Control): Promise<FoundCopy> {
  const [copy] = await findCopies(parts.docker, parts.rack, { process }, control)
  if (copy) return copy
  throw new RackError('not-found', `no process ${process}`, { hint: 'List what runs with: rack ps' })
}

/** A copy of a type leaves as in a deploy, its successor first; anything else simply ends. */
async function stopProcess(parts: EngineParts, copy: FoundCopy, plan: Plan | undefined, control: Control) {
  if (copy.kind !== 'process') {
    await stopCopy(parts, toCopy(copy), control)
    return
  }
  const isPlanned = plan?.processes.some(({ type }) => type === copy.type)
  if (plan && isPlanned) {
    await deployPlan(parts, plan, control, new Set([copy.process]))
    return
  }
  if (plan) {
    await stopCopy(parts, toCopy(copy), control)
    await removeCopy(parts, toCopy(copy), control)
    return
  }
  // The daemon has not brought the app's plan about yet: Docker itself stops it and starts it again.
  const path = `/containers/${copy.container}/restart`
  await parts.docker.json({ method: 'POST', path, deadlineMs: null }, control)
}

async function takeUp(parts: EngineParts, control: Control): Promise<void> {
  const copies = await findCopies(parts.docker, parts.rack, {}, control)
  for (const copy of copies) parts.logs.follow(copy)
  await adoptOneOffs(parts, control)
}

async function refuseServices(): Promise<never> {
  throw new RackError('unsupported', 'this version runs no services of its own', {
    hint: 'Link a service that is known by its URL, or run it as a process of the app.',
  })
}

import type { Control } from '../../domain/control.ts'
import type { Engine } from '../../domain/engine.ts'
import { RackError } from '../../domain/error.ts'
import type { Plan } from '../../domain/plan.ts'
import { createSemaphore, type Semaphore } from '../../lib/semaphore.ts'
import { cancelled } from './cancelled.ts'
import { readCapacity } from './capacity.ts'
import { findCopies, type FoundCopy } from './containers/found-copy.ts'
import { freeAddresses } from './containers/free-addresses.ts'
import { createVolumeList } from './containers/list-volumes.ts'
import { listNetworks } from './containers/network.ts'
import { removeVolume } from './containers/volumes.ts'
import { deployPlan } from './deploy/deploy.ts'
import { waitForLoss } from './engine-loss.ts'
import { createImageBuilder } from './images/image-builder.ts'
import { createParts, type DockerEngineOptions, type EngineParts } from './parts.ts'
import { connectInside } from './processes/connect-inside.ts'
import { copyFiles } from './processes/copy-files.ts'
import { execInCopy } from './processes/exec.ts'
import { listProcesses } from './processes/list-processes.ts'
import { adoptOneOffs, runOneOff } from './processes/one-off.ts'
import { removeApp } from './remove-app.ts'
import { stopProcess } from './stop-process.ts'
import { sweepRack } from './sweep.ts'

/** An engine on one machine, with what only its owner needs. */
export interface DockerEngine extends Engine {
  /**
   * Takes up what runs: goes on copying logs and waiting for one-offs, and gives back addresses that nothing holds.
   * To be called at the start, and again whenever
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
  const { docker, rack } = parts
  const builder = createImageBuilder({ docker, rack, maxConcurrentBuilds: options.maxBuilds })
  return {
    ...changes(parts),
    ...processVerbs(parts),
    ...volumeVerbs(parts),
    build: (request, control) => builder.build(request, control),
    capacity: (control) => guarded(control, () => readCapacity(parts, builder.running(), control)),
    sweep: (keep, control) => guarded(control, () => sweepRack(parts, keep, control)),
    provision: () => refuseServices(),
    deprovision: () => refuseServices(),
    start: (control) => takeUp(parts, control),
    waitForLoss: (control) => waitForLoss(parts, control),
    async close() {
      closing.abort(new RackError('cancelled', 'the rack is stopping'))
      await parts.logs.close()
    },
  }
}

/** What changes the copies of an app: one at a time. */
function changes(parts: EngineParts): Pick<Engine, 'deploy' | 'remove' | 'stop'> {
  const livePlans = new Map<string, Plan>()
  const inTurn = createTurns()
  return {
    deploy: (plan, control) =>
      inTurn(plan.app, control, async () => {
        const receipt = await deployPlan(parts, plan, control)
        livePlans.set(plan.app, plan)
        return receipt
      }),
    remove: (app, how, control) =>
      inTurn(app, control, async () => {
        livePlans.delete(app)
        await removeApp(parts, app, how, control)
      }),
    async stop(process, control) {
      const copy = await findOne(parts, process, control)
      await inTurn(copy.app, control, () => stopProcess(parts, copy, livePlans.get(copy.app), control))
    },
  }
}

function processVerbs(
  parts: EngineParts,
): Pick<Engine, 'processes' | 'run' | 'exec' | 'copy' | 'logs' | 'connect'> {
  return {
    processes: (filter, control) => guarded(control, () => listProcesses(parts, filter, control)),
    run: (oneOff, terminal, control) => guarded(control, () => runOneOff(parts, oneOff, terminal, control)),
    exec: (process, command, terminal, control) =>
      guarded(control, async () => {
        const copy = await findOne(parts, process, control)
        return await execInCopy(parts.docker, copy, { command, terminal }, control)
      }),
    copy: (process, path, archive, control) =>
      guarded(control, async () => {
        await copyFiles(parts.docker, await findOne(parts, process, control), { path, archive }, control)
      }),
    logs: (query, control) => parts.logs.read(query, control),
    connect: (address, control) => guarded(control, () => connectInside(parts, address, control)),
  }
}

function volumeVerbs(parts: EngineParts): Pick<Engine, 'volumes' | 'removeVolume'> {
  const listVolumes = createVolumeList(parts)
  return {
    volumes: (filter, control) => guarded(control, () => listVolumes(filter, control)),
    removeVolume: (app, name, control) => guarded(control, () => removeVolume(parts, app, name, control)),
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

async function takeUp(parts: EngineParts, control: Control): Promise<void> {
  const copies = await findCopies(parts.docker, parts.rack, {}, control)
  for (const copy of copies) parts.logs.follow(copy)
  adoptOneOffs(parts, copies)
  for (const { app } of await listNetworks(parts.docker, parts.rack, control)) {
    await freeAddresses(parts, app, control)
  }
}

async function refuseServices(): Promise<never> {
  throw new RackError('unsupported', 'this version runs no services of its own', {
    hint: 'Link a service that is known by its URL, or run it as a process of the app.',
  })
}

import type { Control } from '../../domain/control.ts'
import { dockerFeatures } from '../../domain/docker-features.ts'
import type { Receipt } from '../../domain/deployment.ts'
import type { Engine } from '../../domain/engine.ts'
import { RackError } from '../../domain/error.ts'
import { ownerKey } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import { unmanagedError } from '../../domain/service.ts'
import { mergeStreams } from '../../lib/merge-streams.ts'
import { createOwnerTurns, guarded } from '../common/owner-turns.ts'
import { aboutDocker, endpointsOf } from './about.ts'
import { readCapacity } from './capacity.ts'
import { stopCopy, toCopy } from './containers/copies.ts'
import { findCopies, type FoundCopy } from './containers/found-copy.ts'
import { freeAddresses } from './containers/free-addresses.ts'
import { learnFormerExits } from './containers/last-exits.ts'
import { createVolumeList } from './containers/list-volumes.ts'
import { leaveServices } from './containers/joined-services.ts'
import { keepWaysOpen, leaveShares } from './containers/joined-shares.ts'
import { listNetworks } from './containers/network.ts'
import { removeVolume } from './containers/volumes.ts'
import { deployPlan } from './deploy/deploy.ts'
import { markEnds, markFormerEnds } from './deploy/mark-ends.ts'
import { obstaclesOf } from './deploy/obstacles.ts'
import { waitForLoss } from './engine-loss.ts'
import { createImageBuilder } from './images/image-builder.ts'
import { tryLogin } from './images/registry-logins.ts'
import { removeLooks } from './images/look-into-image.ts'
import { forgetImages, imagesHere, loadImages, nameImages, saveImages } from './images/saved-images.ts'
import { createParts } from './create-parts.ts'
import type { DockerEngineOptions, EngineParts } from './parts.ts'
import { watchCopies } from './names/watch-copies.ts'
import { connectInside } from './processes/connect-inside.ts'
import { copyFiles } from './processes/copy-files.ts'
import { copyVolume } from './processes/copy-volume.ts'
import { execInCopy } from './processes/exec.ts'
import { listProcesses } from './processes/list-processes.ts'
import { readUsage } from './processes/read-usage.ts'
import { adoptOneOffs, runOneOff } from './processes/one-off.ts'
import { watchProcesses } from './processes/watch-processes.ts'
import { removeOwner } from './remove-owner.ts'
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
  /** Makes the rules that names stand on anew where somebody else has changed them, and says whether that was so. */
  mendNames(control: Control): Promise<boolean>
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
    features: dockerFeatures,
    ...changes(parts),
    ...processVerbs(parts),
    ...volumeVerbs(parts),
    ...imageVerbs(parts),
    about: (control) => guarded(control, () => aboutDocker(docker, control)),
    endpoints: (plan) => endpointsOf(plan, options.outside),
    build: (request, control) => builder.build(request, control),
    tryLogin: (login, control) => guarded(control, () => tryLogin(docker, login, control)),
    capacity: (control) => guarded(control, () => readCapacity(parts, builder.running(), control)),
    sweep: (keep, control) => guarded(control, () => sweepRack(parts, keep, control)),
    // Nobody runs anything for one machine: a service here is a plan.
    provision: async (managed) => {
      throw unmanagedError(managed)
    },
    deprovision: async () => null,
    reboot: async (service) => {
      throw unmanagedError(service)
    },
    openEntrance: (entrance, control) => guarded(control, () => parts.router.admit(entrance, control)),
    start: (control) => adoptRunning(parts, control),
    waitForLoss: (control) => waitForLoss(parts, control),
    async mendNames(control) {
      await keepWaysOpen(parts, control)
      return await parts.names.mend(control)
    },
    async close() {
      closing.abort(new RackError('cancelled', 'the rack is stopping'))
      await parts.logs.close()
    },
  }
}

/** What changes the copies of an app or a service: one at a time. */
function changes(
  parts: EngineParts,
): Pick<Engine, 'obstacles' | 'nameObstacles' | 'additions' | 'deploy' | 'measure' | 'remove' | 'stop'> {
  const inTurn = createOwnerTurns()
  const current = new Map<string, Plan>()
  const leave = async (plan: Plan, control: Control) => {
    // What was deployed since then says itself what it is led to.
    if (current.get(ownerKey(plan.owner)) !== plan) return
    await leaveServices(parts, plan, control)
    await leaveShares(parts, plan, control)
  }
  /** Who drains is still led to what its release had. */
  const leaveBehind = async (plan: Plan, { draining }: Receipt) => {
    const control = { signal: parts.lifetime, report: () => undefined }
    await parts.reaper.tried(draining, control)
    await inTurn(plan.owner, control, () => leave(plan, control))
  }
  return {
    obstacles: (plan, starting, control) =>
      guarded(control, () => obstaclesOf(parts, { plan, starting }, control)),
    nameObstacles: () => [],
    // A machine has all that it has from the start.
    additions: async () => [],
    deploy: (change, control) =>
      inTurn(change.plan.owner, control, async () => {
        const { plan } = change
        current.set(ownerKey(plan.owner), plan)
        const receipt = await deployPlan(parts, change, control)
        if (receipt.draining.length === 0) await leave(plan, control)
        else void leaveBehind(plan, receipt).catch(parts.onTrouble)
        return receipt
      }),
    measure: (measurement, control) => guarded(control, () => parts.measurements.read(measurement, control)),
    remove: (owner, how, control) => inTurn(owner, control, () => removeOwner(parts, owner, how, control)),
    stop: (oneOff, control) =>
      guarded(control, async () => {
        const copy = await findOne(parts, oneOff, control)
        if (copy.kind === 'process') {
          throw new RackError('conflict', `${oneOff} is a copy of ${copy.type}, which leaves by a deploy`)
        }
        await stopCopy(parts, toCopy(copy), control)
      }),
  }
}

function processVerbs(
  parts: EngineParts,
): Pick<Engine, 'processes' | 'usage' | 'watch' | 'run' | 'exec' | 'copy' | 'logs' | 'connect'> {
  return {
    processes: (filter, control) => guarded(control, () => listProcesses(parts, filter, control)),
    usage: (filter, control) => guarded(control, () => readUsage(parts, filter, control)),
    watch: (control) => mergeStreams([watchProcesses(parts, control), parts.health.changes(control)]),
    run: (oneOff, terminal, control) => guarded(control, () => runOneOff(parts, oneOff, terminal, control)),
    exec: (processId, command, terminal, control) =>
      guarded(control, async () => {
        const copy = await findOne(parts, processId, control)
        return await execInCopy(parts.docker, copy, { command, terminal }, control)
      }),
    copy: (processId, path, archive, control) =>
      guarded(control, async () => {
        await copyFiles(parts.docker, await findOne(parts, processId, control), { path, archive }, control)
      }),
    logs: (query, control) => parts.logs.read(query, control),
    connect: (address, control) => guarded(control, () => connectInside(parts, address, control)),
  }
}

function volumeVerbs(parts: EngineParts): Pick<Engine, 'volumes' | 'removeVolume' | 'copyVolume'> {
  const listVolumes = createVolumeList(parts)
  return {
    volumes: (filter, control) => guarded(control, () => listVolumes(filter, control)),
    removeVolume: (owner, name, control) => guarded(control, () => removeVolume(parts, owner, name, control)),
    copyVolume: (owner, name, archive, control) =>
      guarded(control, () => copyVolume(parts, { owner, name, archive }, control)),
  }
}

function imageVerbs(
  parts: EngineParts,
): Pick<Engine, 'saveImages' | 'loadImages' | 'calledHere' | 'imagesHere' | 'nameImages' | 'forgetImages'> {
  const { docker } = parts
  return {
    saveImages: (saved, out, control) =>
      guarded(control, () => saveImages(parts, { ...saved, out }, control)),
    loadImages: (saved, control) => guarded(control, () => loadImages(docker, saved, control)),
    // By what is in it, as all images of this machine are.
    calledHere: (_app, { digest }) => digest,
    imagesHere: (references, control) => guarded(control, () => imagesHere(docker, references, control)),
    nameImages: (of, control) => guarded(control, () => nameImages(parts, of, control)),
    forgetImages: (app, references, control) =>
      guarded(control, () => forgetImages(parts, { app, references }, control)),
  }
}

async function findOne(parts: EngineParts, processId: string, control: Control): Promise<FoundCopy> {
  const [copy] = await findCopies(parts.docker, parts.rack, { process: processId }, control)
  if (copy) return copy
  throw new RackError('not-found', `no process ${processId}`, { hint: 'List what runs with: rack ps' })
}

async function adoptRunning(parts: EngineParts, control: Control): Promise<void> {
  // Listens before it looks at what there is: a change in between is seen by one of them.
  parts.watching.abort()
  parts.watching = new AbortController()
  await watchCopies(parts, { signal: AbortSignal.any([parts.watching.signal, parts.lifetime]) })
  const copies = await findCopies(parts.docker, parts.rack, {}, control)
  await parts.names.adopt(copies, control)
  await keepWaysOpen(parts, control)
  await removeLooks(parts.docker, parts.rack, control)
  for (const copy of copies) parts.logs.follow(copy)
  adoptOneOffs(parts, copies)
  parts.reaper.adopt(copies)
  // Listens before it looks at what has ended: an end in between is seen by one of them.
  keepWatching(parts)
  await markFormerEnds(parts, copies, control)
  await learnFormerExits(parts, copies, control)
  const networks = await listNetworks(parts.docker, parts.rack, control)
  await freeAddresses(
    parts,
    networks.map(({ owner }) => owner),
    control,
  )
}

/** Until Docker goes away; it is begun again when Docker has come back. */
function keepWatching(parts: EngineParts): void {
  parts.marking.abort()
  parts.marking = new AbortController()
  const { signal } = parts.marking
  const all = AbortSignal.any([signal, parts.lifetime])
  markEnds(parts, { signal: all }).catch((error: unknown) => {
    if (!all.aborted) parts.onTrouble(error)
  })
  void parts.health.keep({ signal: all })
}

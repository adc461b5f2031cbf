import { maskText } from '../../../domain/environment.ts'
import { isOneOf, RackError } from '../../../domain/error.ts'
import { makeId } from '../../../domain/id.ts'
import { networksOf } from '../../../domain/isolation.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { rackVariableNames } from '../../../domain/process-environment.ts'
import { until } from '../../../lib/poll.ts'
import { containerSpec, type ContainerRequest, type ContainerSpec } from './spec/container-spec.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import { findImage } from '../images/images.ts'
import { inspectCopy, type FoundCopy } from './found-copy.ts'
import { explainBinds, presentMounts } from './spec/mounts.ts'
import { containerName, markedName, networkKey, networkName } from './names.ts'
import type { CopyMark } from '../../../rollout/runtime.ts'
import type { EngineParts } from '../parts.ts'
import { containerHosts } from '../names/container-hosts.ts'
import { outsideHosts } from '../names/outside-hosts.ts'
import { requireExternalVolumes } from './volumes.ts'
import { joinOwners, joinServices } from './joined-services.ts'
import { joinShares } from './joined-shares.ts'
import { placeFiles } from './place-files.ts'

type Signalled = { signal: AbortSignal }

/** Enough of a container to act on it. */
export interface Copy {
  owner: Owner
  type: string
  process: string
  release: string
  container: string
  address: string
}

export type NewCopy = Omit<ContainerRequest, 'rack' | 'process' | 'address' | 'hosts' | 'limits'>

/** A container that could not be started; the caller turns it into a failure of its type. */
export class StartError extends Error {
  readonly process: string
  override readonly cause: RackError

  constructor(processId: string, cause: RackError) {
    super(cause.message)
    this.process = processId
    this.cause = cause
  }
}

/** What the engine said of it, which may quote a value that the compose file took from the environment. */
export function maskedRefusal(
  { environment }: Pick<ProcessPlan, 'environment'>,
  { cause }: StartError,
): RackError {
  const own: readonly string[] = rackVariableNames
  const given = Object.entries(environment).filter(([name]) => !own.includes(name))
  const { code, message, hint, details } = cause
  return new RackError(code, maskText(message, Object.fromEntries(given)), { hint, details })
}

/**
 * Creates a container with an address and files of its own, without starting it; what fails in the middle is removed.
 *
 * @throws StartError when the engine refuses it
 */
export async function createCopy(parts: EngineParts, request: NewCopy, control: Signalled): Promise<Copy> {
  const { rack, limits, addresses, names } = parts
  const { owner, release, kind } = request
  const network = networkKey(owner)
  const processId = makeId('P', parts.randomBytes)
  parts.inFlight.add(processId)
  try {
    const address = await addresses.take(network, processId)
    const plan = { ...request.plan, mounts: await presentMounts(request.plan.mounts) }
    const peers = plan.peers.map(({ type }) => type)
    const virtual = await names.addressesOf(owner, peers)
    const services = await joinServices(parts, owner, plan, control)
    const shares = await joinShares(parts, owner, plan, control)
    const own = containerHosts(plan, kind === 'process' ? address : null, virtual)
    const hosts = [...own, ...services, ...shares, ...(await outsideHosts(plan, control))]
    const spec = containerSpec({ ...request, plan, rack, process: processId, address, hosts, limits })
    const container = await createContainer(parts, { owner, spec, plan, kind }, control)
    await place(parts, container, { request, process: processId, address }, control)
    return { owner, type: plan.type, process: processId, release, container, address }
  } catch (error) {
    await addresses.free(network, processId)
    throw startError(processId, error)
  } finally {
    parts.inFlight.delete(processId)
  }
}

/** Before it runs: what starts at an address that no rule knows would reach nobody. */
async function place(
  parts: EngineParts,
  container: string,
  { request, process: processId, address }: { request: NewCopy; process: string; address: string },
  control: Signalled,
): Promise<void> {
  const { owner, plan, kind } = request
  const networks = networksOf(plan.isolation)
  const isEnclosed = plan.isolation?.isEnclosed ?? false
  const copy = {
    process: processId,
    type: plan.type,
    address,
    networks,
    isEnclosed,
    isCopy: kind === 'process',
  }
  try {
    await parts.names.place(owner, copy, control)
  } catch (error) {
    await discard(parts, container)
    throw error
  }
}

/** A container holds all its files and is on all its networks, or is not there. */
async function createContainer(
  parts: EngineParts,
  {
    owner,
    spec: { name, body },
    plan,
    kind,
  }: Pick<NewCopy, 'owner' | 'plan' | 'kind'> & { spec: ContainerSpec },
  control: Signalled,
): Promise<string> {
  const { files, mounts } = plan
  const { docker, lifetime } = parts
  await requireExternalVolumes(docker, mounts, control)
  const call = { method: 'POST', path: '/containers/create', query: { name }, body } as const
  // Not under the caller's signal: Docker makes it all the same, and nobody would know of it.
  const { Id } = await docker
    .json<{ Id: string }>(call, { signal: lifetime })
    .catch(async (error: unknown) => {
      throw await explainBinds(await explainImage(docker, plan, error, control), mounts)
    })
  try {
    control.signal.throwIfAborted()
    await placeFiles(docker, Id, files, control)
    if (owner.kind === 'service' && kind === 'process')
      await joinOwners(parts, { owner, container: Id }, control)
    return Id
  } catch (error) {
    await discard(parts, Id)
    throw error
  }
}

/** Why Docker refused a container, where it is the image that somebody has deleted. */
async function explainImage(
  docker: DockerClient,
  { type, image }: Pick<ProcessPlan, 'type' | 'image'>,
  error: unknown,
  { signal }: Signalled,
): Promise<unknown> {
  const control = { signal, report: () => undefined }
  if (!isNotFound(error) || (await findImage(docker, image, control)) !== null) return error
  return new RackError('engine-failed', `the image of ${type} is not on this machine any more`, {
    hint: 'Build it again: rack deploy, from the source of that release',
    cause: error,
  })
}

/** Its own signal: a cancelled caller may not leave a container behind. The engine, when it is away, may. */
async function discard({ docker, onTrouble }: EngineParts, container: string): Promise<void> {
  const call = {
    method: 'DELETE',
    path: `/containers/${container}`,
    query: { force: true, v: true },
  } as const
  try {
    await docker.json(call, { signal: AbortSignal.timeout(30_000) })
  } catch (error) {
    onTrouble(error)
  }
}

/** Starts it and keeps its log from the first line. @throws StartError when the engine cannot run its command */
export async function startCopy(parts: EngineParts, copy: Copy, control: Signalled): Promise<void> {
  try {
    await parts.docker.json(
      { method: 'POST', path: `/containers/${copy.container}/start`, deadlineMs: 60_000 },
      control,
    )
  } catch (error) {
    throw startError(copy.process, error)
  }
  parts.logs.follow(copy)
}

/** Writes down what the rack has decided of a copy, at once and for good. Safe to repeat. */
export async function markCopy(
  { docker, rack }: EngineParts,
  { container, owner, type, process: processId }: Copy,
  mark: CopyMark,
  control: Signalled,
): Promise<void> {
  const name = markedName(containerName(rack, owner, type, processId), mark, Date.now())
  try {
    await docker.json({ method: 'POST', path: `/containers/${container}/rename`, query: { name } }, control)
  } catch (error) {
    // Docker refuses a name that the container has already.
    if ((await inspectCopy(docker, container, control))?.mark !== mark) throw error
  }
}

/** Settles with the exit code when the main process has ended; of what Docker starts again, see `endOfCopy`. */
export async function waitForExit(
  { docker }: Pick<EngineParts, 'docker'>,
  container: string,
  control: Signalled,
): Promise<number> {
  const path = `/containers/${container}/wait`
  const ended = await docker.json<{ StatusCode: number }>({ method: 'POST', path, deadlineMs: null }, control)
  return ended.StatusCode
}

/** Stops with the container's own signal and grace, and keeps Docker from starting it again. Safe to repeat. */
export async function stopCopy(parts: EngineParts, copy: Copy, control: Signalled): Promise<void> {
  const path = `/containers/${copy.container}/stop`
  try {
    await setRestartPolicy(parts, copy, 'no', control)
    await parts.docker.json({ method: 'POST', path, deadlineMs: null }, control)
  } catch (error) {
    // 304: it had stopped already. Or somebody else has removed it meanwhile.
    if (!isGone(error)) throw error
  }
}

/** Ends the container at once if it runs, copies its log to the end, removes it and frees its address. Safe to repeat. */
export async function removeCopy(parts: EngineParts, copy: Copy, control: Signalled): Promise<void> {
  const { docker, logs, addresses } = parts
  const path = `/containers/${copy.container}`
  const removal = { method: 'DELETE', path, query: { force: true, v: true }, deadlineMs: 60_000 } as const
  await unlessGone(docker.json({ method: 'POST', path: `${path}/kill` }, control))
  // Of one that somebody else removes in this moment Docker gives no log any more.
  await unlessGone(logs.finish(copy, control))
  await unlessGone(docker.json(removal, control))
  parts.names.leave(copy.owner, copy.process)
  await addresses.free(networkKey(copy.owner), copy.process)
  parts.leaving.delete(copy.process)
}

const updatePatienceMs = 5000

/** Who starts the container again when it ends: Docker by its policy, or nobody. */
export async function setRestartPolicy(
  { docker }: EngineParts,
  copy: Copy,
  policy: string,
  control: Signalled,
): Promise<void> {
  const body = { RestartPolicy: { Name: policy } }
  const path = `/containers/${copy.container}/update`
  const end = performance.now() + updatePatienceMs
  const update = async () => {
    try {
      await docker.json({ method: 'POST', path, body }, control)
      return true
    } catch (error) {
      // Docker says 500 in the moment in which a container ends or starts again: a little later it can.
      const mayPass = error instanceof RackError && error.code === 'engine-failed' && performance.now() < end
      if (!mayPass) throw error
      return false
    }
  }
  const what = `a restart policy for ${copy.process}`
  await until(update, { deadlineMs: 60_000, intervalMs: 100, what, signal: control.signal })
}

/**
 * Gives a running copy the names under which others inside the app reach it; no names take them away. Docker binds
 * names to a connection to the network, so the copy is taken off and put back with the same address: connections live
 * through it, and meanwhile the copy is frozen so that it sees no moment without a network.
 */
export async function nameCopy(
  parts: EngineParts,
  copy: Copy,
  names: string[],
  control: Signalled,
): Promise<void> {
  const { docker, rack } = parts
  const network = `/networks/${networkName(rack, copy.owner)}`
  const { container: Container, address } = copy
  const endpoint = { IPAMConfig: { IPv4Address: address }, Aliases: names }
  const isFrozen = await freeze(parts, copy, control)
  try {
    await detach(parts, copy, control)
    await docker.json(
      { method: 'POST', path: `${network}/connect`, body: { Container, EndpointConfig: endpoint } },
      control,
    )
  } finally {
    if (isFrozen) await thaw(parts, copy)
  }
}

/** Finishes what a crash interrupted in the middle of `nameCopy`. */
export async function mendCopy(parts: EngineParts, found: FoundCopy, control: Signalled): Promise<void> {
  if (found.state === 'paused') await thaw(parts, toCopy(found))
  if (found.address !== null) return
  const address = await parts.addresses.take(networkKey(found.owner), found.process)
  await nameCopy(parts, { ...toCopy(found), address }, [], control)
}

/** What to act on, of a container that was found. */
export function toCopy(found: FoundCopy): Copy {
  const { owner, type, process: processId, release, container, address } = found
  return { owner, type, process: processId, release, container, address: address ?? '' }
}

/** The copy as it is now. @throws not-found when it is gone */
export async function lookAgain({ docker }: EngineParts, copy: Copy, control: Signalled): Promise<FoundCopy> {
  const found = await inspectCopy(docker, copy.container, control)
  if (!found) throw new RackError('not-found', `the process ${copy.process} is gone`)
  return found
}

async function detach({ docker, rack }: EngineParts, copy: Copy, control: Signalled): Promise<void> {
  const path = `/networks/${networkName(rack, copy.owner)}/disconnect`
  try {
    await docker.json({ method: 'POST', path, body: { Container: copy.container, Force: false } }, control)
  } catch (error) {
    // Docker answers 403 or 500 for a container that is not connected, by version: look instead of guessing.
    const found = await inspectCopy(docker, copy.container, control)
    if (found?.address !== null) throw error
  }
}

async function freeze({ docker }: EngineParts, copy: Copy, control: Signalled): Promise<boolean> {
  try {
    await docker.json({ method: 'POST', path: `/containers/${copy.container}/pause` }, control)
    return true
  } catch (error) {
    // Without a freezer, or when it has just ended: the names matter more.
    if (isOneOf(error, 'conflict', 'engine-failed')) return false
    throw error
  }
}

async function thaw({ docker }: EngineParts, copy: Copy): Promise<void> {
  // Its own signal: a cancelled caller may not leave a frozen process behind.
  const control = { signal: AbortSignal.timeout(10_000) }
  try {
    await docker.json({ method: 'POST', path: `/containers/${copy.container}/unpause` }, control)
  } catch (error) {
    if (!isGone(error) && !(error instanceof RackError && error.code === 'engine-failed')) throw error
  }
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

/** The container is not there, or is not in the state that the request would end. */
function isGone(error: unknown): boolean {
  return isNotFound(error) || (error instanceof RackError && error.code === 'conflict')
}

const ownErrors: ReadonlySet<string> = new Set(['engine-failed', 'not-found', 'conflict', 'unsupported'])

function startError(processId: string, error: unknown): unknown {
  const isOwn = error instanceof RackError && ownErrors.has(error.code)
  return isOwn ? new StartError(processId, error) : error
}

import { maskText } from '../../../domain/environment.ts'
import { RackError } from '../../../domain/error.ts'
import { makeId } from '../../../domain/id.ts'
import { rackVariableNames, type ProcessPlan } from '../../../domain/plan.ts'
import { until } from '../../../lib/poll.ts'
import { containerSpec, type ContainerRequest, type ContainerSpec } from './spec/container-spec.ts'
import { isNotFound } from '../errors.ts'
import { inspectCopy, type FoundCopy } from './found-copy.ts'
import { explainBinds } from './spec/mounts.ts'
import { networkName } from './names.ts'
import type { EngineParts } from '../parts.ts'
import { placeFiles } from './place-files.ts'

type Signalled = { signal: AbortSignal }

/** Enough of a container to act on it. */
export interface Copy {
  app: string
  type: string
  process: string
  release: string
  container: string
  address: string
}

export type NewCopy = Omit<ContainerRequest, 'rack' | 'process' | 'address' | 'limits'>

/** A container that could not be started; the caller turns it into a failure of its type. */
export class StartError extends Error {
  readonly process: string
  override readonly cause: RackError

  constructor(process: string, cause: RackError) {
    super(cause.message)
    this.process = process
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
  const { rack, limits, addresses } = parts
  const { app, release, plan } = request
  const process = makeId('P', parts.randomBytes)
  parts.inFlight.add(process)
  try {
    const address = await addresses.take(app, process)
    const spec = containerSpec({ ...request, rack, process, address, limits })
    const container = await createContainer(parts, spec, plan, control)
    return { app, type: plan.type, process, release, container, address }
  } catch (error) {
    await addresses.free(app, process)
    throw startError(process, error)
  } finally {
    parts.inFlight.delete(process)
  }
}

/** A container holds all its files, or is not there. */
async function createContainer(
  parts: EngineParts,
  { name, body }: ContainerSpec,
  { files, mounts }: ProcessPlan,
  control: Signalled,
): Promise<string> {
  const { docker } = parts
  const call = { method: 'POST', path: '/containers/create', query: { name }, body } as const
  const { Id } = await docker.json<{ Id: string }>(call, control).catch(async (error: unknown) => {
    throw await explainBinds(error, mounts)
  })
  try {
    await placeFiles(docker, Id, files, control)
    return Id
  } catch (error) {
    await discard(parts, Id)
    throw error
  }
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

/** Settles with the exit code when the container's main process has ended. */
export async function waitForExit(
  { docker }: EngineParts,
  container: string,
  control: Signalled,
): Promise<number> {
  const path = `/containers/${container}/wait`
  const ended = await docker.json<{ StatusCode: number }>({ method: 'POST', path, deadlineMs: null }, control)
  return ended.StatusCode
}

/** Stops with the container's own signal and grace, and keeps Docker from starting it again. Safe to repeat. */
export async function stopCopy(parts: EngineParts, copy: Copy, control: Signalled): Promise<void> {
  await setRestartPolicy(parts, copy, 'no', control)
  const path = `/containers/${copy.container}/stop`
  try {
    await parts.docker.json({ method: 'POST', path, deadlineMs: null }, control)
  } catch (error) {
    // 304: it had stopped already.
    if (!isGone(error)) throw error
  }
}

/** Ends the container at once if it runs, copies its log to the end, removes it and frees its address. Safe to repeat. */
export async function removeCopy(parts: EngineParts, copy: Copy, control: Signalled): Promise<void> {
  const { docker, logs, addresses } = parts
  const path = `/containers/${copy.container}`
  try {
    await docker.json({ method: 'POST', path: `${path}/kill` }, control)
  } catch (error) {
    if (!isGone(error)) throw error
  }
  await logs.finish(copy, control)
  try {
    await docker.json(
      { method: 'DELETE', path, query: { force: true, v: true }, deadlineMs: 60_000 },
      control,
    )
  } catch (error) {
    if (!isGone(error)) throw error
  }
  await addresses.free(copy.app, copy.process)
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
  const network = `/networks/${networkName(rack, copy.app)}`
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
  const address = await parts.addresses.take(found.app, found.process)
  await nameCopy(parts, { ...toCopy(found), address }, [], control)
}

/** What to act on, of a container that was found. */
export function toCopy(found: FoundCopy): Copy {
  const { app, type, process, release, container, address } = found
  return { app, type, process, release, container, address: address ?? '' }
}

/** The copy as it is now. @throws not-found when it is gone */
export async function lookAgain({ docker }: EngineParts, copy: Copy, control: Signalled): Promise<FoundCopy> {
  const found = await inspectCopy(docker, copy.container, control)
  if (!found) throw new RackError('not-found', `the process ${copy.process} is gone`)
  return found
}

async function detach({ docker, rack }: EngineParts, copy: Copy, control: Signalled): Promise<void> {
  const path = `/networks/${networkName(rack, copy.app)}/disconnect`
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
    if (error instanceof RackError && ['conflict', 'engine-failed'].includes(error.code)) return false
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

/** The container is not there, or is not in the state that the request would end. */
function isGone(error: unknown): boolean {
  return isNotFound(error) || (error instanceof RackError && error.code === 'conflict')
}

const ownErrors: ReadonlySet<string> = new Set(['engine-failed', 'not-found', 'conflict', 'unsupported'])

function startError(process: string, error: unknown): unknown {
  const isOwn = error instanceof RackError && ownErrors.has(error.code)
  return isOwn ? new StartError(process, error) : error
}

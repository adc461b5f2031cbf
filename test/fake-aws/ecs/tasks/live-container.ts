import { RackError } from '../../../../src/domain/error.ts'
import { abortable, DeadlineError } from '../../../../src/lib/deadline.ts'
import { until } from '../../../../src/lib/poll.ts'
import { untilHolds } from '../bell.ts'
import { runBeside, type ContainerRecord, type EcsState, type TaskRecord } from '../state.ts'
import { containerSpec, type ContainerWorld } from './container-spec.ts'
import { followLog } from './follow-log.ts'
import { startMs } from './holder.ts'
import { StartFailure } from './start-failure.ts'

/** How long after an exit the kernel's word of the reason may still be on its way. */
const patienceMs = 500
/** How long the rest of a log may take after the end. */
const logMs = 5000
/** When the agent of ExecuteCommand is up (J). */
const agentMs = 3000

/**
 * Waits for what a container depends on, starts it, and settles when it has ended.
 *
 * @throws StartFailure where it does not come to run, or the signal's reason
 */
export async function liveContainer(
  container: ContainerRecord,
  world: ContainerWorld,
  signal: AbortSignal,
): Promise<void> {
  const { state, task } = world
  await awaitDependencies(container, world, signal)
  await startContainer(container, world, signal)
  // It was told to stop while it started.
  if (signal.aborted) runBeside(state, () => stopContainer(state, task, container))
  const log = told(state, followLog(state, task, container))
  if (task.isExecuteEnabled && canHoldAgent(container)) runBeside(state, () => startAgent(state, container))
  const exitCode = await waitForExit(state, container)
  await settledWithin(log, logMs)
  if (exitCode === 137 && task.end === null) await hearOfMemory(container)
  container.exitCode = exitCode
  // D: in these words.
  if (container.isOutOfMemory && exitCode === 137) {
    container.reason = 'OutOfMemoryError: Container killed due to memory usage'
  }
  container.isAgentRunning = false
  container.lastStatus = 'STOPPED'
  state.bell.ring()
}

/** Without end: only a `startTimeout` of the dependency would set one (S), and that is refused. */
async function awaitDependencies(
  container: ContainerRecord,
  { state, task }: ContainerWorld,
  signal: AbortSignal,
): Promise<void> {
  const { dependsOn = [], name } = container.definition
  const others = dependsOn.map(({ containerName, condition }) => ({
    condition,
    other: task.containers.find(({ definition }) => definition.name === containerName)!,
  }))
  const areMet = () => others.every(({ condition, other }) => isMet(condition!, other, name))
  await untilHolds(state.bell, areMet, signal)
}

/** D: what each condition waits for. @throws StartFailure where it can't come true any more */
function isMet(condition: string, other: ContainerRecord, waiting: string): boolean {
  const hasEnded = other.lastStatus === 'STOPPED'
  switch (condition) {
    case 'START':
      return other.lastStatus !== 'PENDING'
    case 'COMPLETE':
      return hasEnded
    case 'SUCCESS':
      if (hasEnded && other.exitCode !== 0) throw new StartFailure(neverWords(other, waiting))
      return hasEnded
    default:
      if (hasEnded || other.health === 'UNHEALTHY') throw new StartFailure(neverWords(other, waiting))
      return other.health === 'HEALTHY'
  }
}

/** S: so the agent says it of a dependency that has failed; that the task has it as its reason is J. */
function neverWords({ definition, exitCode }: ContainerRecord, waiting: string): string {
  return (
    `dependency graph: failed container ordering dependency [${definition.name}] for container [${waiting}] ` +
    `as dependency did not exit successfully${exitCode === undefined ? '' : ` (exit code ${exitCode})`}.`
  )
}

async function startContainer(
  container: ContainerRecord,
  world: ContainerWorld,
  signal: AbortSignal,
): Promise<void> {
  const { state, task } = world
  const { docker } = state
  const name = `${state.account.run}-${task.id.slice(0, 12)}-${container.definition.name}`
  try {
    const body = containerSpec(container, world)
    const create = {
      method: 'POST',
      path: '/containers/create',
      query: { name },
      body,
      deadlineMs: startMs,
    } as const
    container.dockerId = (await docker.json<{ Id: string }>(create, state.ending)).Id
    signal.throwIfAborted()
    const path = `/containers/${container.dockerId}`
    await docker.json({ method: 'POST', path: `${path}/start`, deadlineMs: startMs }, state.ending)
    container.lastStatus = 'RUNNING'
    state.bell.ring()
  } catch (error) {
    if (!(error instanceof RackError) || state.ending.signal.aborted) throw error
    const words = error.message.replace(/^Docker Engine: /, 'Error response from daemon: ')
    throw new StartFailure(`CannotStartContainerError: ${words}`, container, error)
  }
}

/** Docker answers at once where it has ended already. */
async function waitForExit({ docker, ending }: EcsState, { dockerId }: ContainerRecord): Promise<number> {
  const wait = { method: 'POST', path: `/containers/${dockerId}/wait`, deadlineMs: null } as const
  return (await docker.json<{ StatusCode: number }>(wait, ending)).StatusCode
}

/** Docker tells of the kill and of the end on two ways. */
async function hearOfMemory(container: ContainerRecord): Promise<void> {
  try {
    await until(() => container.isOutOfMemory, { deadlineMs: patienceMs, what: 'word of a kill for memory' })
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
  }
}

/** Where the agent of ExecuteCommand writes: it does not come up in a read-only container without these (D). */
const agentPaths = ['/managed-agents', '/var/lib/amazon', '/var/log/amazon']

function canHoldAgent({
  definition: { readonlyRootFilesystem, mountPoints = [] },
}: ContainerRecord): boolean {
  if (!readonlyRootFilesystem) return true
  const isWritable = (path: string) =>
    mountPoints.some(({ containerPath, readOnly }) => containerPath === path && !readOnly)
  return agentPaths.every(isWritable)
}

async function startAgent({ account, bell, ending }: EcsState, container: ContainerRecord): Promise<void> {
  await abortable(account.clock.pass(agentMs), ending.signal)
  container.isAgentRunning = container.lastStatus === 'RUNNING'
  bell.ring()
}

/** What goes wrong is told to the account, and to nobody who waits. */
async function told({ ending, account }: EcsState, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!ending.signal.aborted) account.onTrouble(error)
  }
}

/** A log that hangs does not keep a task from ending. */
async function settledWithin(work: Promise<void>, ms: number): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  await Promise.race([work, over.promise])
  clearTimeout(timer)
}

/** SIGTERM (or what the image says), and SIGKILL when `stopTimeout` is over: the process's own time, and real. */
export async function stopContainer(
  { docker, ending, bell }: EcsState,
  task: TaskRecord,
  container: ContainerRecord,
): Promise<void> {
  // D: those that depend on it end before it does.
  const dependants = task.containers.filter(({ definition }) =>
    definition.dependsOn?.some(({ containerName }) => containerName === container.definition.name),
  )
  await untilHolds(bell, () => dependants.every(({ lastStatus }) => lastStatus !== 'RUNNING'), ending.signal)
  if (container.lastStatus !== 'RUNNING') return
  const seconds = container.definition.stopTimeout ?? 30
  const stop = {
    method: 'POST',
    path: `/containers/${container.dockerId}/stop`,
    query: { t: seconds },
  } as const
  try {
    await docker.json({ ...stop, deadlineMs: (seconds + 30) * 1000 }, ending)
  } catch (error) {
    // It has ended by itself in between.
    if (!(error instanceof RackError) || error.code !== 'conflict') throw error
  }
  await untilHolds(bell, () => container.lastStatus === 'STOPPED', ending.signal)
}

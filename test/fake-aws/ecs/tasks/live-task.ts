import { abortable } from '../../../../src/lib/deadline.ts'
import { untilHolds } from '../bell.ts'
import { labelsOf } from '../task-network.ts'
import { AwsError } from '../../fake-service.ts'
import type { Target } from '../../links.ts'
import type { EcsState, TaskRecord } from '../state.ts'
import { createHolder, removeTaskParts, type Holder } from './holder.ts'
import { liveContainer, stopContainer } from './live-container.ts'
import { prepareTask } from './prepare-task.ts'
import { StartFailure } from './start-failure.ts'
import { isEssential, moveTask } from './task-record.ts'

/** How long the steps of a Fargate task take: 15–40 s until it is there (D), the others J. */
const provisioningMs = [15_000, 40_000] as const
const pullingMs = [1000, 5000] as const
const activatingMs = [500, 2000] as const
const deprovisioningMs = [2000, 10_000] as const

/** Takes a task through all its states, from PROVISIONING to STOPPED. */
export async function liveTask(state: EcsState, task: TaskRecord): Promise<void> {
  let holder: Holder | null = null
  const lives: Promise<void>[] = []
  const signal = AbortSignal.any([state.ending.signal, task.stopping])
  try {
    await state.isListening()
    await passBetween(state, provisioningMs, signal)
    const failure = state.account.startFailures.shift()
    if (failure !== undefined) throw new StartFailure(failure)
    // Not ended by the task's own signal: what has been made must be known, or it would be left over.
    holder = await createHolder(state, task, state.ending)
    signal.throwIfAborted()
    moveTask(state, task, 'PENDING')
    await startContainers(state, task, { holder, lives, signal })
    await untilHolds(state.bell, () => hasEnded(task), signal)
    task.stop({ code: 'EssentialContainerExited', reason: 'Essential container in task exited' })
  } catch (error) {
    if (state.ending.signal.aborted) return
    endBy(state, task, error)
  }
  await endTask(state, task, holder, lives)
}

interface Starting {
  holder: Holder
  lives: Promise<void>[]
  signal: AbortSignal
}

async function startContainers(
  state: EcsState,
  task: TaskRecord,
  { holder, lives, signal }: Starting,
): Promise<void> {
  const [prepared] = await Promise.all([prepareTask(state, task), passBetween(state, pullingMs, signal)])
  const labels = await labelsOf(state.account.run)
  const failed = new AbortController()
  for (const container of task.containers) {
    const world = { state, task, holder, labels, prepared: prepared.get(container)! }
    const life = liveContainer(container, world, AbortSignal.any([signal, failed.signal]))
    lives.push(life.catch((error: unknown) => failed.abort(error)))
  }
  const either = AbortSignal.any([signal, failed.signal])
  await untilHolds(state.bell, () => hasStarted(task) || hasEnded(task), either)
  if (hasEnded(task)) return
  moveTask(state, task, 'ACTIVATING')
  await passBetween(state, activatingMs, either)
  if (hasEnded(task)) return
  register(state, task)
  task.times.startedAt = new Date(state.account.clock.now())
  moveTask(state, task, 'RUNNING')
}

/** @throws StartFailure where a target group or a registry is gone by now: that the task ends by it is J */
function register({ targetGroups, names }: EcsState, task: TaskRecord): void {
  try {
    for (const [arn, target] of targetsOf(task)) targetGroups.register(arn, target)
    for (const arn of registriesOf(task)) names.register(arn, { id: task.id, address: task.address! })
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    throw new StartFailure(`failed to register targets: ${error.message}`, null, error)
  }
}

/** What is gone, or never knew of the task, has nothing to lose. */
async function deregister({ targetGroups, names }: EcsState, task: TaskRecord): Promise<void> {
  const leave = async (how: () => void | Promise<void>) => {
    try {
      await how()
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
    }
  }
  await Promise.all([
    ...registriesOf(task).map((arn) => leave(() => names.deregister(arn, task.id))),
    ...targetsOf(task).map(([arn, target]) => leave(() => targetGroups.deregister(arn, target))),
  ])
}

/** D: every container has been started, and the essential ones run. */
function hasStarted({ containers }: TaskRecord): boolean {
  return containers.every(({ lastStatus }) => lastStatus !== 'PENDING')
}

/** D: one essential container that ends takes the others with it. */
function hasEnded({ containers }: TaskRecord): boolean {
  return containers.some((container) => isEssential(container) && container.lastStatus === 'STOPPED')
}

function endBy(state: EcsState, task: TaskRecord, error: unknown): void {
  // It was asked to stop while it started: the reason is there already.
  if (task.end) return
  if (error instanceof StartFailure) {
    if (error.container) error.container.reason = error.message
    task.stop({ code: 'TaskFailedToStart', reason: error.message })
    return
  }
  state.account.onTrouble(error)
  task.stop({ code: 'TaskFailedToStart', reason: `the fake account failed: ${String(error)}` })
}

/** D: DEACTIVATING (targets and names), STOPPING (processes), DEPROVISIONING (network), STOPPED. */
async function endTask(
  state: EcsState,
  task: TaskRecord,
  holder: Holder | null,
  lives: Promise<void>[],
): Promise<void> {
  const { signal } = state.ending
  if (task.address !== null) {
    moveTask(state, task, 'DEACTIVATING')
    await abortable(deregister(state, task), signal)
  }
  moveTask(state, task, 'STOPPING')
  await Promise.all(task.containers.map((container) => stopContainer(state, task, container)))
  await abortable(Promise.all(lives), signal)
  for (const container of task.containers) container.lastStatus = 'STOPPED'
  task.times.executionStoppedAt = new Date(state.account.clock.now())
  moveTask(state, task, 'DEPROVISIONING')
  await removeTaskParts(state, task, holder)
  await passBetween(state, deprovisioningMs, signal)
  task.attachment.status = 'DELETED'
  task.times.stoppedAt = new Date(state.account.clock.now())
  moveTask(state, task, 'STOPPED')
}

/** Where a task of a service takes requests, by target group. */
export function targetsOf({ service, address }: TaskRecord): [string, Target][] {
  const groups = service?.request.loadBalancers ?? []
  return groups.map(({ targetGroupArn, containerPort }) => [
    targetGroupArn!,
    { address: address!, port: containerPort! },
  ])
}

function registriesOf({ service }: TaskRecord): string[] {
  return (service?.request.serviceRegistries ?? []).map(({ registryArn }) => registryArn!)
}

async function passBetween(
  { account }: EcsState,
  [least, most]: readonly [number, number],
  signal: AbortSignal,
): Promise<void> {
  await abortable(account.clock.pass(least + Math.random() * (most - least)), signal)
}

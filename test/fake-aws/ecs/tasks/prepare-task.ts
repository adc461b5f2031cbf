import { AwsError } from '../../fake-service.ts'
import type { ContainerRecord, EcsState, TaskRecord } from '../state.ts'
import { startFailure } from './start-failure.ts'

/** What a container is made of, beside its definition. */
export interface PreparedContainer {
  /** Docker's id. */
  image: string
  secrets: { name: string; value: string }[]
}

/**
 * Secrets, log groups and file systems first, then images (D: the order of a Fargate task's start).
 *
 * @throws StartFailure with ResourceInitializationError or CannotPullContainerError
 */
export async function prepareTask(
  state: EcsState,
  task: TaskRecord,
): Promise<Map<ContainerRecord, PreparedContainer>> {
  const prepared = new Map<ContainerRecord, PreparedContainer>()
  for (const container of task.containers) {
    prepared.set(container, { image: '', secrets: readSecrets(state, container) })
    assertLog(state, container)
  }
  assertFileSystems(state, task)
  task.times.pullStartedAt = new Date(state.account.clock.now())
  for (const [container, parts] of prepared) parts.image = await pull(state, container)
  task.times.pullStoppedAt = new Date(state.account.clock.now())
  return prepared
}

function readSecrets({ secrets }: EcsState, { definition }: ContainerRecord): PreparedContainer['secrets'] {
  return (definition.secrets ?? []).map(({ name, valueFrom }) => {
    const value = tellFailure('ResourceInitializationError', () => secrets.read(valueFrom!))
    return { name: name!, value }
  })
}

function assertLog({ logs }: EcsState, { definition }: ContainerRecord): void {
  const group = definition.logConfiguration!.options!['awslogs-group']!
  tellFailure('ResourceInitializationError', () => logs.assertGroup(group))
}

function assertFileSystems({ fileSystems }: EcsState, task: TaskRecord): void {
  for (const { efsVolumeConfiguration: shared } of task.definition.definition.volumes ?? []) {
    if (!shared) continue
    const accessPoint = shared.authorizationConfig!.accessPointId!
    tellFailure('ResourceInitializationError', () => fileSystems.path(shared.fileSystemId!, accessPoint))
  }
}

async function pull({ images }: EcsState, container: ContainerRecord): Promise<string> {
  try {
    const id = await images.resolve(container.definition.image)
    container.imageDigest = /@(sha256:[0-9a-f]{64})$/.exec(container.definition.image)?.[1]
    return id
  } catch (error) {
    if (error instanceof AwsError) throw startFailure('CannotPullContainerError', error, container)
    throw error
  }
}

/** What the account says no to ends the task; anything else is a fault of the fake. */
function tellFailure<T>(kind: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof AwsError) throw startFailure(kind, error, null)
    throw error
  }
}

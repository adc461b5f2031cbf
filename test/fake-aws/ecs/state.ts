import type {
  Attachment,
  CapacityProviderStrategyItem,
  ContainerDefinition,
  CreateServiceRequest,
  Deployment,
  HealthStatus,
  ServiceEvent,
  Tag,
  TaskDefinition,
  TaskOverride,
  TaskStopCode,
} from '@aws-sdk/client-ecs'
import type { DockerClient } from '../../../src/engines/docker/client.ts'
import type { FakeAccount } from '../fake-service.ts'
import type {
  FileSystems,
  Images,
  LogLines,
  NameInstances,
  SecretValues,
  TargetGroups,
  TaskNetwork,
} from '../links.ts'
import type { Bell } from './bell.ts'
import type { DaemonWay } from './daemon-way.ts'
import type { Lagged } from './listings.ts'

/** What ECS asks of the rest of the account. */
export interface EcsLinks {
  account: FakeAccount
  network: TaskNetwork
  targetGroups: TargetGroups
  names: NameInstances
  secrets: SecretValues
  logs: LogLines
  images: Images
  fileSystems: FileSystems
  /** Absent where no task is a rack's daemon. */
  daemons?: DaemonWay
}

/** All that the ECS of an account holds. */
export interface EcsState extends EcsLinks {
  docker: DockerClient
  /** Names. */
  clusters: Set<string>
  /** Names of those that were deleted. */
  inactiveClusters: Set<string>
  /** By ARN. */
  definitions: Map<string, DefinitionRecord>
  /** The last revision of each family, which is never given twice. */
  revisions: Map<string, number>
  /** By ARN: the last one that bore the name. */
  services: Map<string, ServiceRecord>
  /** By ARN. */
  tasks: Map<string, TaskRecord>
  bell: Bell
  /** Ends with the account. */
  ending: AbortController
  /** What runs in the background. */
  work: Set<Promise<void>>
  /** No page of a listing is longer. */
  pageSize: number
  /** Settles when word of containers' health comes in. */
  isListening(): Promise<void>
}

export interface DefinitionRecord {
  definition: TaskDefinition & { taskDefinitionArn: string; containerDefinitions: ContainerDefinition[] }
  tags: Tag[]
}

export interface ServiceRecord {
  name: string
  arn: string
  cluster: string
  request: CreateServiceRequest
  definition: DefinitionRecord
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE'
  desiredCount: number
  tags: Tag[]
  /** The newest first. */
  events: ServiceEvent[]
  createdAtMs: number
  deployment: Deployment & { id: string; failedTasks: number }
  isSteady: boolean
  isListed: Lagged<boolean>
  /** How many tasks in a row never came to run, and when the next may start. */
  failuresInRow: number
  notBeforeMs: number
}

export type TaskStatus =
  | 'PROVISIONING'
  | 'PENDING'
  | 'ACTIVATING'
  | 'RUNNING'
  | 'DEACTIVATING'
  | 'STOPPING'
  | 'DEPROVISIONING'
  | 'STOPPED'

/** Why a task ends. */
export interface TaskEnd {
  code: TaskStopCode
  reason: string
}

export interface TaskRecord {
  id: string
  arn: string
  cluster: string
  definition: DefinitionRecord
  service: ServiceRecord | null
  group: string
  startedBy: string | undefined
  tags: Tag[]
  overrides: TaskOverride
  capacityProvider: CapacityProviderStrategyItem | undefined
  securityGroups: string[]
  isExecuteEnabled: boolean
  desiredStatus: 'RUNNING' | 'STOPPED'
  lastStatus: TaskStatus
  version: number
  times: Partial<
    Record<
      | 'createdAt'
      | 'pullStartedAt'
      | 'pullStoppedAt'
      | 'startedAt'
      | 'stoppingAt'
      | 'executionStoppedAt'
      | 'stoppedAt',
      Date
    >
  >
  end: TaskEnd | null
  address: string | null
  attachment: Attachment & { id: string }
  containers: ContainerRecord[]
  protectedUntilMs: number
  listedStatus: Lagged<'RUNNING' | 'STOPPED'>
  /** Asks it to end; the first reason counts. */
  stop(end: TaskEnd): void
  stopping: AbortSignal
  /** Its service has drawn its conclusions from its end. */
  isJudged: boolean
}

export interface ContainerRecord {
  arn: string
  definition: ContainerDefinition & { name: string; image: string }
  lastStatus: 'PENDING' | 'RUNNING' | 'STOPPED'
  dockerId: string | null
  imageDigest: string | undefined
  exitCode: number | undefined
  reason: string | undefined
  health: HealthStatus
  isOutOfMemory: boolean
  /** Whether the agent of ExecuteCommand is up. */
  isAgentRunning: boolean
}

/** Does something beside all else; what it throws is told to the account, but for its own end. */
export function runBeside(state: EcsState, work: () => Promise<void>): void {
  const running = work()
    .catch((error: unknown) => {
      if (!state.ending.signal.aborted) state.account.onTrouble(error)
    })
    .finally(() => state.work.delete(running))
  state.work.add(running)
}

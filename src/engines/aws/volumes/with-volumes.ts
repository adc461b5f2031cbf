import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { AppPlaces } from '../definition/task-definition.ts'
import { ensureApp } from '../deploy/app-places.ts'
import { removeDefinition } from '../leaving/remove-parts.ts'
import type { Place } from '../exec/execute-command.ts'
import { begunTask, endOfTask } from '../look/task-end.ts'
import { makeTask } from '../make-task.ts'
import {
  ecsTags,
  generationName,
  logGroupName,
  makeGenerationId,
  ownerTag,
  type GenerationName,
} from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { stopTask } from '../processes/start-one-off.ts'
import { findVolumes, type FoundVolume } from './find-volumes.ts'

/** Volumes of one owner that something is to be done with. */
interface Wanted {
  owner: Owner
  volumes: FoundVolume[]
  isReadOnly: boolean
}

/** Where the first of the volumes is in its container; the others are beside it. */
export const firstPath = '/volume'

/** A task mounts so many at most. */
export const mostAtOnce = 10

const container = 'volumes'
/** The tool's image holds the tool and nothing else. */
const tool = '/rack'
/** It ends by itself when nobody has done so. */
const longestStay = '6h'
const leaveMs = 60_000

/**
 * Runs a task of the rack's own that has volumes of an owner, and nothing of its processes: EFS is reached from inside of
 * a task only. An owner that is no more gets its stack for it, which a sweep takes away again.
 */
export async function withVolumes<T>(
  parts: AwsParts,
  wanted: Wanted,
  control: Control,
  work: (place: Place, paths: string[]) => Promise<T>,
): Promise<T> {
  const { owner, volumes } = wanted
  const all = await findVolumes(parts, { owner }, control)
  const app = await ensureApp(parts, { owner, accessPoints: all.map(({ id }) => id) }, control)
  const generation = { owner, type: container, id: makeGenerationId(parts.randomBytes) }
  const paths = volumes.map((_volume, index) => (index === 0 ? firstPath : `${firstPath}${index}`))
  const input = definitionOf(parts, { ...wanted, app, generation, paths })
  const leaving = () => AbortSignal.timeout(leaveMs)
  await using undo = new AsyncDisposableStack()
  parts.preparing.add(generationName(generation))
  undo.defer(() => void parts.preparing.delete(generationName(generation)))
  undo.defer(() => removeDefinition(parts, generation, { signal: leaving() }))
  const register = async () =>
    await parts.clients.ecs.registerTaskDefinition(input, { abortSignal: control.signal })
  const { taskDefinition } = await parts.registering.run(register, control.signal)
  const taskArn = await startTask(parts, app, taskDefinition?.taskDefinitionArn ?? '', control)
  undo.defer(() => stopTask(parts, taskArn, 'its work is done', leaving()))
  await running(parts, taskArn, control)
  const names = volumes.map(({ name }) => name).join(', ')
  return await work({ taskArn, container, process: `the volume ${names}`, tool }, paths)
}

interface Described extends Wanted {
  app: AppPlaces
  generation: GenerationName
  paths: string[]
}

function definitionOf(
  { rack, places }: AwsParts,
  { owner, volumes, isReadOnly, app, generation, paths }: Described,
): RegisterTaskDefinitionCommandInput {
  const named = (index: number) => `v${index}`
  return {
    family: generationName(generation),
    // By them a sweep knows it as the rack's.
    tags: ecsTags({ rack, owner: ownerTag(owner), type: container }),
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    cpu: '256',
    memory: '512',
    runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
    executionRoleArn: app.executionRole,
    taskRoleArn: app.taskRole,
    volumes: volumes.map(({ id }, index) => ({
      name: named(index),
      efsVolumeConfiguration: {
        fileSystemId: places.fileSystem,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: id, iam: 'ENABLED' },
      },
    })),
    containerDefinitions: [
      {
        name: container,
        image: places.toolImage,
        essential: true,
        user: '0',
        command: ['wait', longestStay],
        mountPoints: paths.map((containerPath, index) => ({
          sourceVolume: named(index),
          containerPath,
          ...(isReadOnly && { readOnly: true }),
        })),
        logConfiguration: {
          logDriver: 'awslogs',
          options: {
            'awslogs-group': logGroupName(rack, owner),
            'awslogs-region': places.region,
            'awslogs-stream-prefix': container,
          },
        },
      },
    ],
  }
}

async function startTask(
  parts: AwsParts,
  app: AppPlaces,
  definition: string,
  { signal }: Control,
): Promise<string> {
  // Without the tags of a process: it is none.
  const made = await makeTask(parts, { app, definition, group: container }, signal)
  if (made.arn !== null) return made.arn
  throw new RackError('engine-failed', `ECS starts no task for volumes: ${made.reason}`)
}

async function running({ tasks }: AwsParts, arn: string, { signal }: Control): Promise<void> {
  const end = endOfTask(await tasks.until(arn, begunTask, signal))
  if (!end) return
  throw new RackError(
    'engine-failed',
    `a task for volumes did not start: ${end.notStarted ?? `exit code ${end.code}`}`,
  )
}

import type { Control } from '../../../domain/control.ts'
import type { Plan } from '../../../domain/plan.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { until } from '../../../lib/poll.ts'
import { pages } from '../look/found.ts'
import { awsTags, ownerTag, ownerWord, volumeRoot } from '../names.ts'
import type { AwsParts } from '../parts.ts'

const deadlineMs = 120_000

/** Those of an owner that a plan mounts, made where they are missing; by volume, its id. */
export async function ensureAccessPoints(
  parts: AwsParts,
  plan: Plan,
  control: Control,
): Promise<Map<string, string>> {
  const names = new Set(
    plan.processes.flatMap(({ mounts }) =>
      mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : [])),
    ),
  )
  if (names.size === 0) return new Map()
  const made = Array.from(names, async (volume) => {
    return [volume, await ensureAccessPoint(parts, plan, volume, control)] as const
  })
  return new Map(await Promise.all(made))
}

async function ensureAccessPoint(
  parts: AwsParts,
  { owner }: Plan,
  volume: string,
  control: Control,
): Promise<string> {
  const { clients, places, rack } = parts
  const found = await findAccessPoint(parts, volumeRoot(owner, volume), control)
  if (found) return await awaitAccessPoint(parts, found, control)
  try {
    const { AccessPointId } = await clients.files.createAccessPoint(
      {
        ClientToken: `${ownerWord(owner)}/${volume}`.slice(0, 64),
        FileSystemId: places.fileSystem,
        RootDirectory: {
          Path: volumeRoot(owner, volume),
          CreationInfo: { OwnerUid: 0, OwnerGid: 0, Permissions: '0755' },
        },
        Tags: [...awsTags({ rack, owner: ownerTag(owner), created: new Date().toISOString() }), { Key: 'rack:volume', Value: volume }],
      },
      { abortSignal: control.signal },
    )
    return await awaitAccessPoint(parts, AccessPointId!, control)
  } catch (error) {
    if (!isAwsError(error, 'AccessPointAlreadyExists')) throw error
    const { AccessPointId } = (error as { cause: { AccessPointId: string } }).cause
    return await awaitAccessPoint(parts, AccessPointId, control)
  }
}

async function findAccessPoint(
  { clients, places }: AwsParts,
  root: string,
  { signal }: Control,
): Promise<string | null> {
  const list = async (NextToken?: string) => {
    const input = { FileSystemId: places.fileSystem, ...(NextToken && { NextToken }) }
    const answer = await clients.files.describeAccessPoints(input, { abortSignal: signal })
    return { items: answer.AccessPoints ?? [], nextToken: answer.NextToken }
  }
  for await (const { RootDirectory, AccessPointId, LifeCycleState } of pages(list)) {
    const isThere = LifeCycleState !== 'deleting' && LifeCycleState !== 'deleted'
    if (RootDirectory?.Path === root && AccessPointId && isThere) return AccessPointId
  }
  return null
}

/** A task that mounts one that is not available yet does not start. */
async function awaitAccessPoint(
  { clients, intervals }: AwsParts,
  AccessPointId: string,
  { signal }: Control,
): Promise<string> {
  const isAvailable = async () => {
    const { AccessPoints = [] } = await clients.files.describeAccessPoints({ AccessPointId }, { abortSignal: signal })
    return AccessPoints[0]?.LifeCycleState === 'available'
  }
  const what = 'a volume to be available'
  await until(isAvailable, { intervalMs: intervals.tasks, deadlineMs, what, signal })
  return AccessPointId
}

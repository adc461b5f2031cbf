import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
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
  const root = volumeRoot(owner, volume)
  const [found] = await findAccessPoints(parts, (each) => each === root, control)
  if (found) return await awaitAccessPoint(parts, found, control)
  try {
    const { AccessPointId } = await clients.files.createAccessPoint(
      {
        ClientToken: `${ownerWord(owner)}/${volume}`.slice(0, 64),
        FileSystemId: places.fileSystem,
        RootDirectory: {
          Path: root,
          CreationInfo: { OwnerUid: 0, OwnerGid: 0, Permissions: '0755' },
        },
        Tags: [
          ...awsTags({ rack, owner: ownerTag(owner), created: new Date().toISOString() }),
          { Key: 'rack:volume', Value: volume },
        ],
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

/** Those whose directories `isMeant`, by their roots; those that go are left out. */
async function findAccessPoints(
  { clients, places }: AwsParts,
  isMeant: (root: string) => boolean,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const list = async (NextToken?: string) => {
    const input = { FileSystemId: places.fileSystem, ...(NextToken && { NextToken }) }
    const answer = await clients.files.describeAccessPoints(input, { abortSignal: signal })
    return { items: answer.AccessPoints ?? [], nextToken: answer.NextToken }
  }
  const all = await Array.fromAsync(pages(list))
  return all.flatMap(({ RootDirectory, AccessPointId, LifeCycleState }) => {
    const isThere = LifeCycleState !== 'deleting' && LifeCycleState !== 'deleted'
    return isThere && AccessPointId && isMeant(RootDirectory?.Path ?? '') ? [AccessPointId] : []
  })
}

/** Gives up those of an owner that is removed; safe to repeat. */
export async function removeVolumes(
  parts: AwsParts,
  owner: Owner,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const prefix = volumeRoot(owner, '')
  const found = await findAccessPoints(parts, (root) => root.startsWith(prefix), control)
  for (const AccessPointId of found) {
    await parts.clients.files.deleteAccessPoint({ AccessPointId }, { abortSignal: control.signal })
  }
}

/** A task that mounts one that is not available yet does not start. */
async function awaitAccessPoint(
  { clients, intervals }: AwsParts,
  AccessPointId: string,
  { signal }: Control,
): Promise<string> {
  const isAvailable = async () => {
    const { AccessPoints = [] } = await clients.files.describeAccessPoints(
      { AccessPointId },
      { abortSignal: signal },
    )
    return AccessPoints[0]?.LifeCycleState === 'available'
  }
  const what = 'a volume to be available'
  await until(isAvailable, { intervalMs: intervals.tasks, deadlineMs, what, signal })
  return AccessPointId
}

import { createHash } from 'node:crypto'
import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { Plan } from '../../../domain/plan.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { until } from '../../../lib/poll.ts'
import { mountedVolumes } from '../../../domain/volume.ts'
import { awsTags, ownerTag, ownerWord, volumeRoot } from '../names.ts'
import { findVolumes } from '../volumes/find-volumes.ts'
import type { AwsParts } from '../parts.ts'

const deadlineMs = 120_000

/** Those of an owner that a plan has or mounts, made where they are missing; by volume, its id. */
export async function ensureAccessPoints(
  parts: AwsParts,
  plan: Plan,
  control: Control,
): Promise<Map<string, string>> {
  const names = new Set([...plan.volumes, ...plan.processes.flatMap(mountedVolumes)])
  if (names.size === 0) return new Map()
  const made = Array.from(names, async (volume) => {
    return [volume, await ensureAccessPoint(parts, plan.owner, volume, control)] as const
  })
  return new Map(await Promise.all(made))
}

/** The id of one, made where it is missing. */
export async function ensureAccessPoint(
  parts: AwsParts,
  owner: Owner,
  volume: string,
  control: Control,
): Promise<string> {
  const { clients, places, rack } = parts
  const root = volumeRoot(owner, volume)
  const [found] = await findVolumes(parts, { owner, name: volume }, control)
  if (found) return await awaitAccessPoint(parts, found.id, control)
  try {
    const { AccessPointId } = await clients.files.createAccessPoint(
      {
        ClientToken: tokenOf(`${rack} ${ownerWord(owner)} ${volume}`),
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

/** Of 64 characters at most, and no other volume's. */
const tokenOf = (text: string) => createHash('sha256').update(text).digest('hex')

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

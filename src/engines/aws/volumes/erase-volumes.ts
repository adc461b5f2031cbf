import { isAwsError } from '../../../aws/errors.ts'
import { removeStack } from '../../../aws/stacks.ts'
import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
import { converse } from '../exec/tool-session.ts'
import { appStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { findVolumes, type FoundVolume } from './find-volumes.ts'
import { mostAtOnce, withVolumes } from './with-volumes.ts'
import { ownStackOptions } from '../own-stacks.ts'

/** Gives up those of an owner that is removed, with what lies in them; safe to repeat. */
export async function removeVolumes(parts: AwsParts, owner: Owner, control: Control): Promise<void> {
  const { rack } = parts
  const found = await findVolumes(parts, { owner }, control)
  if (found.length === 0) return
  await eraseVolumes(parts, owner, found, control)
  // It was there again for the task that erased them.
  await removeStack(ownStackOptions(parts), appStackName(rack, owner), control)
}

/** What lies in them, and then themselves: EFS keeps the files of an access point that goes. Safe to repeat. */
export async function eraseVolumes(
  parts: AwsParts,
  owner: Owner,
  volumes: FoundVolume[],
  control: Control,
): Promise<void> {
  for (let at = 0; at < volumes.length; at += mostAtOnce) {
    const some = volumes.slice(at, at + mostAtOnce)
    const wanted = { owner, volumes: some, isReadOnly: false }
    await withVolumes(parts, wanted, control, async (place, paths) => {
      const output = async () => undefined
      await converse(parts, place, { verb: 'erase', order: paths, input: null, output }, control)
    })
    for (const { id } of some) await removeAccessPoint(parts, id, control)
  }
}

async function removeAccessPoint(
  { clients }: AwsParts,
  AccessPointId: string,
  { signal }: Control,
): Promise<void> {
  try {
    await clients.files.deleteAccessPoint({ AccessPointId }, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'AccessPointNotFound')) throw error
  }
}

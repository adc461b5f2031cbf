import type { Control } from '../../../domain/control.ts'
import type { Archive, Engine } from '../../../domain/engine.ts'
import type { Owner } from '../../../domain/owner.ts'
import { ownerKey } from '../../../domain/owner.ts'
import {
  heldError,
  holderText,
  noVolumeError,
  type Volume,
  type VolumeFilter,
} from '../../../domain/volume.ts'
import { ensureAccessPoint } from '../deploy/access-points.ts'
import { copyFiles } from '../exec/copy-files.ts'
import { converse } from '../exec/tool-session.ts'
import { createDefinitions, type Definitions } from '../processes/definitions.ts'
import type { AwsParts } from '../parts.ts'
import { findVolumes, type FoundVolume } from './find-volumes.ts'
import { eraseVolumes } from './erase-volumes.ts'
import { findHolders } from './volume-holders.ts'
import { firstPath, mostAtOnce, withVolumes } from './with-volumes.ts'

/** What is done with volumes, whether their owners are still there or not. */
export function volumeVerbs(
  parts: AwsParts,
  guarded: <T>(control: Control, task: () => Promise<T>) => Promise<T>,
): Pick<Engine, 'volumes' | 'removeVolume' | 'copyVolume'> {
  const definitions = createDefinitions(parts)
  return {
    volumes: (filter, control) => guarded(control, () => listVolumes(parts, definitions, filter, control)),
    removeVolume: (owner, name, control) =>
      guarded(control, () => removeVolume(parts, definitions, { owner, name }, control)),
    copyVolume: (owner, name, archive, control) =>
      guarded(control, () => copyVolume(parts, { owner, name, archive }, control)),
  }
}

async function listVolumes(
  parts: AwsParts,
  definitions: Definitions,
  { sizes = false, ...filter }: VolumeFilter,
  control: Control,
): Promise<Volume[]> {
  const found = await findVolumes(parts, filter, control)
  const [holders, bytes] = await Promise.all([
    findHolders(parts, definitions, filter, control),
    sizes ? measureVolumes(parts, found, control) : new Map<string, number>(),
  ])
  return found.map(({ owner, name, id, created }) => ({
    owner,
    name,
    created,
    bytes: bytes.get(id) ?? null,
    holders: holders.get(id) ?? [],
  }))
}

/** By access point, what lies in it. */
async function measureVolumes(
  parts: AwsParts,
  volumes: FoundVolume[],
  control: Control,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (const ofOwner of Map.groupBy(volumes, ({ owner }) => ownerKey(owner)).values()) {
    for (let at = 0; at < ofOwner.length; at += mostAtOnce) {
      const some = ofOwner.slice(at, at + mostAtOnce)
      const wanted = { owner: some[0]!.owner, volumes: some, isReadOnly: true }
      const bytes = await withVolumes(parts, wanted, control, async (place, paths) => {
        let text = ''
        const output = async (_stream: string, chunk: Uint8Array) =>
          void (text += Buffer.from(chunk).toString())
        await converse(parts, place, { verb: 'measure', order: paths, input: null, output }, control)
        return JSON.parse(text) as number[]
      })
      for (const [index, { id }] of some.entries()) sizes.set(id, bytes[index]!)
    }
  }
  return sizes
}

async function removeVolume(
  parts: AwsParts,
  definitions: Definitions,
  { owner, name }: { owner: Owner; name: string },
  control: Control,
): Promise<void> {
  const [found] = await findVolumes(parts, { owner, name }, control)
  if (!found) throw noVolumeError(owner, name)
  const holders = (await findHolders(parts, definitions, { owner }, control)).get(found.id) ?? []
  if (holders.length > 0) throw heldError(owner, name, holders.map(holderText))
  await eraseVolumes(parts, owner, [found], control)
}

async function copyVolume(
  parts: AwsParts,
  { owner, name, archive }: { owner: Owner; name: string; archive: Archive },
  control: Control,
): Promise<void> {
  const isReadOnly = 'out' in archive
  if (!isReadOnly) await ensureAccessPoint(parts, owner, name, control)
  const [found] = await findVolumes(parts, { owner, name }, control)
  if (!found) throw noVolumeError(owner, name)
  await withVolumes(parts, { owner, volumes: [found], isReadOnly }, control, async (place) => {
    // By its own name from above: the directory itself has an owner and a mode too.
    const path = isReadOnly ? firstPath : '/'
    await copyFiles(parts, place, { path, archive }, control)
  })
}

import type { Control } from '../../domain/control.ts'
import type { Keep, Swept } from '../../domain/engine.ts'
import { ownerKey, type Owner } from '../../domain/owner.ts'
import { findCopies } from './containers/found-copy.ts'
import { freeAddresses } from './containers/free-addresses.ts'
import { pruneBuildCache, sweepImages } from './images/images.ts'
import { listNetworks } from './containers/network.ts'
import { sweepVolumes } from './containers/volumes.ts'
import type { EngineParts } from './parts.ts'
import { removeOwner } from './remove-owner.ts'

/** Removes what nothing in `keep` names: apps and services that are no more, images, and addresses of containers that are gone. */
export async function sweepRack(parts: EngineParts, keep: Keep, control: Control): Promise<Swept> {
  const { docker, rack, logs } = parts
  const [copies, networks] = await Promise.all([
    findCopies(docker, rack, {}, control),
    listNetworks(docker, rack, control),
  ])
  const present = [...[...copies, ...networks].map(({ owner }) => owner), ...(await logs.owners())]
  const strangers = new Map(present.map((owner) => [ownerKey(owner), owner]))
  for (const owner of keep.owners) strangers.delete(ownerKey(owner))
  for (const owner of strangers.values()) await removeOwner(parts, owner, { volumes: false }, control)
  await freeAddresses(parts, keep.owners, control)
  const isStranger = (owner: Owner) => strangers.has(ownerKey(owner))
  const images = await sweepImages(docker, { rack, keep: new Set(keep.images) }, control)
  const volumes = keep.volumes ? await sweepVolumes(parts, keep.owners, control) : 0
  const cacheBytes = keep.buildCache ? await pruneBuildCache(docker, control) : 0
  return {
    images: images.images,
    containers: copies.filter(({ owner }) => isStranger(owner)).length,
    networks: networks.filter(({ owner }) => isStranger(owner)).length,
    volumes,
    bytes: images.bytes + cacheBytes,
  }
}

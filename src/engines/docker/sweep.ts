import type { Control } from '../../domain/control.ts'
import type { Keep, Swept } from '../../domain/engine.ts'
import { findCopies } from './containers/found-copy.ts'
import { freeAddresses } from './containers/free-addresses.ts'
import { pruneBuildCache, sweepImages } from './images/images.ts'
import { listNetworks } from './containers/network.ts'
import { sweepVolumes } from './containers/volumes.ts'
import type { EngineParts } from './parts.ts'
import { removeApp } from './remove-app.ts'

/** Removes what nothing in `keep` names: apps that are no more, images, and addresses of containers that are gone. */
export async function sweepRack(parts: EngineParts, keep: Keep, control: Control): Promise<Swept> {
  const { docker, rack, logs } = parts
  const [copies, networks] = await Promise.all([
    findCopies(docker, rack, {}, control),
    listNetworks(docker, rack, control),
  ])
  const strangers = new Set([
    ...copies.map(({ app }) => app),
    ...networks.map(({ app }) => app),
    ...(await logs.apps()),
  ])
  for (const app of keep.apps) strangers.delete(app)
  for (const app of strangers) await removeApp(parts, app, { volumes: false }, control)
  for (const app of keep.apps) await freeAddresses(parts, app, control)
  const images = await sweepImages(docker, { rack, keep: new Set(keep.images) }, control)
  const volumes = keep.volumes ? await sweepVolumes(parts, new Set(keep.apps), control) : 0
  const cacheBytes = keep.buildCache ? await pruneBuildCache(docker, control) : 0
  return {
    images: images.images,
    containers: copies.filter(({ app }) => strangers.has(app)).length,
    networks: networks.filter(({ app }) => strangers.has(app)).length,
    volumes,
    bytes: images.bytes + cacheBytes,
  }
}

import type { Control } from '../../domain/control.ts'
import type { Keep, Swept } from '../../domain/engine.ts'
import { ownerKey, type Owner } from '../../domain/owner.ts'
import { sweepImages } from './images/sweep-images.ts'
import { adoptLeaving } from './leaving/adopt-leaving.ts'
import { findGenerations, findTasks } from './look/found.ts'
import { findRackStacks } from './look/rack-stacks.ts'
import { deprovisionManaged } from './managed/deprovision.ts'
import { openPortsPrefix, readOwnerWord, serviceStackName } from './names.ts'
import { sweepOrphans } from './orphans.ts'
import type { AwsParts } from './parts.ts'
import { removeOwner } from './remove-owner.ts'
import { removeVolumes } from './volumes/erase-volumes.ts'
import { findVolumes } from './volumes/find-volumes.ts'

/** Removes apps and services that nothing in `keep` names: by their services, their tasks and their stacks. */
export async function sweepRack(parts: AwsParts, keep: Keep, control: Control): Promise<Swept> {
  const [generations, tasks, stacks, ports] = await Promise.all([
    findGenerations(parts, {}, control),
    findTasks(parts, {}, control),
    ownersOfStacks(parts, `rack-${parts.rack}-app-`, control),
    ownersOfStacks(parts, openPortsPrefix(parts.rack), control),
  ])
  const present = [...[...generations, ...tasks].map(({ owner }) => owner), ...stacks, ...ports]
  const strangers = new Map(present.map((owner) => [ownerKey(owner), owner]))
  for (const owner of keep.owners) strangers.delete(ownerKey(owner))
  for (const owner of strangers.values()) await removeOwner(parts, owner, control)
  if (keep.volumes) await sweepDatabases(parts, keep.owners, control)
  const volumes = keep.volumes ? await sweepVolumes(parts, keep.owners, control) : 0
  // Whose reaper has failed.
  await adoptLeaving(parts, control)
  await sweepOrphans(parts, control)
  const { images, bytes } = await sweepImages(parts, { keep }, control)
  const isStranger = ({ owner }: { owner: Owner }) => strangers.has(ownerKey(owner))
  return {
    images,
    containers: tasks.filter(isStranger).length,
    networks: stacks.filter((owner) => isStranger({ owner })).length,
    volumes,
    bytes,
  }
}

/** Those of owners that are no more, with what lies in them; says how many. */
async function sweepVolumes(parts: AwsParts, kept: Owner[], control: Control): Promise<number> {
  const keys = new Set(kept.map(ownerKey))
  const found = await findVolumes(parts, {}, control)
  const left = found.filter(({ owner }) => !keys.has(ownerKey(owner)))
  const owners = new Map(left.map(({ owner }) => [ownerKey(owner), owner]))
  for (const owner of owners.values()) await removeVolumes(parts, owner, control)
  return left.length
}

/** Databases of services that are no more: of each a last snapshot stays. */
async function sweepDatabases(parts: AwsParts, kept: Owner[], control: Control): Promise<void> {
  const keys = new Set(kept.map(ownerKey))
  const names = await wordsOfStacks(parts, serviceStackName(parts.rack, ''), control)
  const left = names.filter((name) => !keys.has(ownerKey({ kind: 'service', name })))
  for (const name of left) await deprovisionManaged(parts, { name }, control)
}

async function ownersOfStacks(parts: AwsParts, prefix: string, control: Control): Promise<Owner[]> {
  const words = await wordsOfStacks(parts, prefix, control)
  return words.map(readOwnerWord)
}

/** What follows a prefix in the names of the rack's stacks. */
async function wordsOfStacks(parts: AwsParts, prefix: string, control: Control): Promise<string[]> {
  const found = await findRackStacks(parts, prefix, control)
  return found.map(({ word }) => word)
}

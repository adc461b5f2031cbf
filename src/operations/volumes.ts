import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { busyError } from '../domain/operation.ts'
import { appOwner, isOfApp, ofApp } from '../domain/owner.ts'
import { heldError, mountedVolumes, noVolumeError, type Volume } from '../domain/volume.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { changeOf } from './journal/start-operation.ts'
import type { VolumeInfo } from './volume-data/volume-operations.ts'
import { livePlanOf } from './read-release.ts'
import { dropOthers } from './volume-data/drop-others.ts'
import { keepStandIn, readStandIns, standInOf } from './volume-data/current-volumes.ts'

/** The volumes of one app or of all, by app and name; those of deleted apps too. */
export async function listVolumes(
  context: Context,
  { app, sizes }: { app?: string; sizes: boolean },
  control: Control,
): Promise<VolumeInfo[]> {
  const found = await context.engine.volumes(
    { ...(app !== undefined && { owner: appOwner(app) }), sizes },
    control,
  )
  // An app that never was is told from one that left nothing.
  if (app !== undefined && found.length === 0) await findApp(context, app)
  return await described(context, found.filter(isOfApp))
}

/** @throws not-found */
export async function getVolume(
  context: Context,
  app: string,
  name: string,
  { sizes }: { sizes: boolean },
  control: Control,
): Promise<VolumeInfo> {
  const owner = appOwner(app)
  const { current } = await standInOf(context, app, name)
  const found = await context.engine.volumes({ owner, name: current, sizes }, control)
  const volume = (await described(context, found)).find((one) => one.name === name)
  if (volume) return volume
  throw noVolumeError(owner, name)
}

/**
 * Removes a volume and what lies in it. In the app's turn, so that no promote that mounts it begins meanwhile; one
 * call of the engine, so nothing of it is journalled.
 */
export async function deleteVolume(
  context: Context,
  app: string,
  name: string,
  control: Control,
): Promise<void> {
  const { running, turns, engine } = context
  running.refuseWhenInterrupted()
  await turns.run(app, control.signal, async () => {
    const change = await changeOf(context, app)
    if (change) throw busyError(change)
    refuseUsed(await getVolume(context, app, name, { sizes: false }, control))
    await dropOthers(context, { app, name }, control)
    const { current, others } = await standInOf(context, app, name)
    if (others.length > 0) throw heldError(appOwner(app), name, [])
    await engine.removeVolume(appOwner(app), current, control)
    await keepStandIn(context, { app, name }, { current: name, others })
    context.log('info', 'a volume is deleted', { app, volume: name, actor: context.caller.name })
  })
}

function refuseUsed({ app, name, usedBy }: VolumeInfo): void {
  if (usedBy.length === 0) return
  throw new RackError('conflict', `the volume "${name}" of ${app} is used by ${usedBy.join(', ')}`, {
    hint: `Deploy a release that does not mount it first; rack apps delete ${app} --volumes deletes app and data.`,
    details: { app, volume: name, usedBy },
  })
}

/** By the names of the app's file; what nobody wants any more is none of its volumes. */
async function described(context: Context, found: Volume[]): Promise<VolumeInfo[]> {
  const volumes = found.map(ofApp)
  const apps = new Map<string, Awaited<ReturnType<typeof readUsers>>>()
  for (const { app } of volumes) if (!apps.has(app)) apps.set(app, await readUsers(context, app))
  return volumes.flatMap((volume) => {
    const { types, isThere, names } = apps.get(volume.app)!
    const name = names(volume.name)
    if (name === null) return []
    const usedBy = types.filter((type) => mountedVolumes(type).includes(volume.name))
    return [{ ...volume, name, usedBy: usedBy.map(({ type }) => type), leftOver: !isThere }]
  })
}

async function readUsers(context: Context, app: string) {
  const types = (await livePlanOf(context, app))?.processes ?? []
  const standIns = [...(await readStandIns(context, app))]
  const names = (volume: string): string | null => {
    const ofFile = standIns.find(([, { current }]) => current === volume)
    if (ofFile) return ofFile[0]
    const isLeft = standIns.some(([name, { others }]) => name === volume || others.includes(volume))
    return isLeft ? null : volume
  }
  return { types, isThere: (await context.store.apps.get(app)) !== null, names }
}

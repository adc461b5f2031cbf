import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { busyError } from '../domain/operation.ts'
import { mountedVolumes, noVolumeError, type Volume } from '../domain/volume.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { changeOf } from './journal/start-operation.ts'
import type { VolumeInfo } from './operations.ts'
import { livePlanOf } from './read-release.ts'

/** The volumes of one app or of all, by app and name; those of deleted apps too. */
export async function listVolumes(
  context: Context,
  { app, sizes }: { app?: string; sizes: boolean },
  control: Control,
): Promise<VolumeInfo[]> {
  const found = await context.engine.volumes({ ...(app !== undefined && { app }), sizes }, control)
  // An app that never was is told from one that left nothing.
  if (app !== undefined && found.length === 0) await findApp(context, app)
  return await described(context, found)
}

/** @throws not-found */
export async function getVolume(
  context: Context,
  app: string,
  name: string,
  { sizes }: { sizes: boolean },
  control: Control,
): Promise<VolumeInfo> {
  const [found] = await described(context, await context.engine.volumes({ app, name, sizes }, control))
  if (found) return found
  throw noVolumeError(app, name)
}

/**
 * Removes a volume and what lies in it. In the app's turn, so that no promote that mounts it begins meanwhile; one
 * call of the engine, so nothing of it is journalled.
 */
export async function deleteVolume(
  context: Context,
  app: string,
  name: string,
  actor: string,
  control: Control,
): Promise<void> {
  const { running, turns, engine } = context
  running.refuseWhenInterrupted()
  await turns.run(app, control.signal, async () => {
    const change = await changeOf(context, app)
    if (change) throw busyError(change)
    refuseUsed(await getVolume(context, app, name, { sizes: false }, control))
    await engine.removeVolume(app, name, control)
    context.log('info', 'a volume is deleted', { app, volume: name, actor })
  })
}

function refuseUsed({ app, name, usedBy }: VolumeInfo): void {
  if (usedBy.length === 0) return
  throw new RackError('conflict', `the volume "${name}" of ${app} is used by ${usedBy.join(', ')}`, {
    hint: `Deploy a release that does not mount it first; rack apps delete ${app} --volumes deletes app and data.`,
    details: { app, volume: name, usedBy },
  })
}

async function described(context: Context, volumes: Volume[]): Promise<VolumeInfo[]> {
  const users = new Map<string, Awaited<ReturnType<typeof readUsers>>>()
  for (const { app } of volumes) {
    if (!users.has(app)) users.set(app, await readUsers(context, app))
  }
  return volumes.map((volume) => {
    const { types, isThere } = users.get(volume.app)!
    const usedBy = types.filter((type) => mountedVolumes(type).includes(volume.name))
    return { ...volume, usedBy: usedBy.map(({ type }) => type), leftOver: !isThere }
  })
}

async function readUsers(context: Context, app: string) {
  const types = (await livePlanOf(context, app))?.processes ?? []
  return { types, isThere: (await context.store.apps.get(app)) !== null }
}

import type { Control } from '../../domain/control.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import { appOwner, ownerKey } from '../../domain/owner.ts'
import { restoredKeys, type Restoring } from '../../domain/rack-backup.ts'
import { decompressZstd } from '../../lib/zstd.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from '../services/bring-up.ts'
import { fillService } from '../services/backup/restore-in-place.ts'
import { findService } from '../services/services.ts'
import { dropVolumes, endStages } from '../services/stage.ts'
import { standInOf } from '../volume-data/current-volumes.ts'

/** Whether something of a backup is still to be taken in: until then nothing of the rack is brought about. */
export async function isRestoring(context: Pick<Context, 'objects' | 'takingIn'>): Promise<boolean> {
  return (await keysLeft(context)).length > 0
}

/** Why nothing of the rack may be changed or run now; null when it may. */
export async function restoreHindrance(
  context: Pick<Context, 'objects' | 'takingIn'>,
): Promise<RackError | null> {
  if (!(await isRestoring(context))) return null
  return new RackError('conflict', 'the rack is still being restored from a backup', {
    hint: 'How far it is: rack status',
  })
}

/** How far it is; null where nothing is put back. */
export async function restoringOf(context: Context): Promise<Restoring | null> {
  const keys = await keysLeft(context)
  if (keys.length === 0) return null
  return { left: keys.map(nameOf), failed: context.takingIn.failure() }
}

/**
 * Takes in what a backup held besides the rack itself, before anything runs: images, then the content of volumes, then the
 * data of services, which are not there yet. What was taken in is gone from the objects; what was begun is begun anew.
 */
export async function takeInRestored(context: Context, control: Control): Promise<void> {
  for (const key of await keysLeft(context)) {
    try {
      context.takingIn.begin()
      await takeIn(context, key, control)
      await context.objects.remove(key)
      context.takingIn.noteDone()
      context.log('info', 'taken in from a backup', { what: nameOf(key) })
    } catch (error) {
      if (!control.signal.aborted) context.takingIn.noteFailure(nameOf(key), error)
      throw error
    }
  }
}

/** Asked for by every change and every second: where nothing is left, objects that are far away are asked once. */
async function keysLeft({ objects, takingIn }: Pick<Context, 'objects' | 'takingIn'>): Promise<string[]> {
  if (takingIn.isOver()) return []
  const keys = await Array.fromAsync(objects.list(restoredKeys.prefix), ({ key }) => key)
  if (keys.length === 0) takingIn.noteOver()
  const rank = (key: string) =>
    [restoredKeys.images, 'restore/v', ''].findIndex((start) => key.startsWith(start))
  return keys.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/** `restore/volumes/shop/data` → `volume shop/data`. */
function nameOf(key: string): string {
  const [kind = '', ...names] = key.slice(restoredKeys.prefix.length).split('/')
  return names.length === 0 ? kind : `${kind.replace(/s$/, '')} ${names.join('/')}`
}

async function takeIn(context: Context, key: string, control: Control): Promise<void> {
  if (key === restoredKeys.images) {
    await context.engine.loadImages({ open: () => context.objects.get(key), of: null }, control)
    return
  }
  const [, kind, first = '', second = ''] = key.split('/')
  const content = context.store.sealing.open(context.objects.get(key), ['restore', key])
  if (kind === 'volumes') await fillVolume(context, { app: first, name: second, content }, control)
  else await fillServiceData(context, { name: first, content }, control)
}

async function fillVolume(
  context: Context,
  { app, name, content }: { app: string; name: string; content: AsyncIterable<Uint8Array> },
  control: Control,
): Promise<void> {
  const { engine, turns } = context
  const owner = appOwner(app)
  await turns.run(app, control.signal, async () => {
    const { current } = await standInOf(context, app, name)
    // Of a daemon that was ended in the middle of it.
    await engine.removeVolume(owner, current, control).catch((error: unknown) => {
      if (codeOf(error) !== 'not-found') throw error
    })
    await engine.copyVolume(owner, current, { in: decompressZstd(content) }, control)
  })
}

async function fillServiceData(
  context: Context,
  { name, content }: { name: string; content: AsyncIterable<Uint8Array> },
  control: Control,
): Promise<void> {
  const owner = serviceOwner(name)
  await context.turns.run(ownerKey(owner), control.signal, async () => {
    const service = await findService(context, name)
    const run = await context.store.services.run(name)
    const data = findServiceType(service.type)?.data
    if (!run || !data) throw new RackError('invalid', `${name} is no service whose data can be put back`)
    await endStages(context, name, control)
    const left = (await context.engine.volumes({ owner }, control)).map((volume) => volume.name)
    await dropVolumes(context, name, left, control)
    await fillService(context, { service, run, data, archive: content }, control)
  })
}

import { volumeBackup, type Backup } from '../../domain/backup.ts'
import type { Control } from '../../domain/control.ts'
import { appOwner } from '../../domain/owner.ts'
import { noVolumeError } from '../../domain/volume.ts'
import { compressZstd } from '../../lib/zstd.ts'
import type { Context } from '../context.ts'
import { say } from '../say.ts'
import { packBackup, type AboutBackup, type PartSum } from '../services/backup/backup-archive.ts'
import { keepMade } from '../services/backup/backups.ts'
import { flowing } from '../services/backup/part-streams.ts'
import { standInOf } from './current-volumes.ts'
import type { VolumeReading } from './volume-operations.ts'
import { runningTypes, whileStopped, type MountedVolume } from './while-stopped.ts'

/** What the one part of a volume's backup is called. */
export const volumePart = 'data.tar'

/**
 * Keeps a backup of an app's volume; whoever asked may leave, which ends it.
 * @throws not-found; busy and conflict with `stop`; disk-full
 */
export async function backupVolume(
  context: Context,
  app: string,
  reading: VolumeReading,
  control: Control,
): Promise<Backup> {
  return await reach(context, { app, reading }, control, async (volume, own) => {
    const about = aboutOf(context, volume)
    return await keepMade(context, 'asked', own, (making) => {
      let parts: PartSum[] = []
      const told = (sums: PartSum[]) => (parts = sums)
      return {
        content: archiveOf(context, volume, { about, told }, making),
        facts: () => ({ ...about, parts }),
      }
    })
  })
}

/** The archive of a volume, which nobody keeps. @throws as `backupVolume` */
export async function dumpVolume(
  context: Context,
  app: string,
  reading: VolumeReading,
  out: (chunk: Uint8Array) => Promise<void>,
  control: Control,
): Promise<void> {
  await reach(context, { app, reading }, control, async (volume, own) => {
    const about = aboutOf(context, volume)
    for await (const chunk of archiveOf(context, volume, { about }, own)) await out(chunk)
  })
}

interface Reached {
  app: string
  reading: VolumeReading
}

async function reach<T>(
  context: Context,
  { app, reading: { volume: name, stop } }: Reached,
  control: Control,
  work: (volume: MountedVolume, control: Control) => Promise<T>,
): Promise<T> {
  const { current } = await standInOf(context, app, name)
  const owner = appOwner(app)
  const [found] = await context.engine.volumes({ owner, name: current }, control)
  if (!found) throw noVolumeError(owner, name)
  const volume = { app, name, current }
  const types = await runningTypes(context, volume, control)
  if (stop && types.length > 0)
    return await whileStopped(context, volume, control, (own) => work(volume, own))
  if (types.length > 0) {
    const text = `${types.join(', ')} may write to ${name} while it is read: with --stop nobody does`
    say(context, control, text)
  }
  return await work(volume, control)
}

function aboutOf(context: Context, { app, name }: MountedVolume): AboutBackup {
  const created = context.now().toISOString()
  return { format: 1, service: `${app}/${name}`, type: volumeBackup, version: '', created }
}

async function* archiveOf(
  { engine }: Context,
  { app, current }: MountedVolume,
  { about, told }: { about: AboutBackup; told?: (sums: PartSum[]) => void },
  control: Control,
): AsyncGenerator<Uint8Array> {
  const content = flowing(control, (out, own) => engine.copyVolume(appOwner(app), current, { out }, own))
  yield* compressZstd(packBackup(about, [{ name: volumePart, content }], told))
}

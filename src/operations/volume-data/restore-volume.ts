import { volumeBackup, type Backup } from '../../domain/backup.ts'
import type { Control } from '../../domain/control.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import { busyError } from '../../domain/operation.ts'
import { appOwner } from '../../domain/owner.ts'
import { mountedVolumes } from '../../domain/volume.ts'
import { decompressZstd } from '../../lib/zstd.ts'
import { cancelOperation } from '../cancel-app.ts'
import { changeLive } from '../change-live.ts'
import type { Context } from '../context.ts'
import { say } from '../say.ts'
import { findApp, liveReleaseOf } from '../find.ts'
import { changeOf } from '../journal/start-operation.ts'
import { livePlanOf, type Target } from '../read-release.ts'
import { readBackup } from '../services/backup/backup-archive.ts'
import { checkBackup, findBackup, openBackup } from '../services/backup/kept-backups.ts'
import { getVolume } from '../volumes.ts'
import { volumePart } from './backup-volume.ts'
import { checkVolumeName, keepStandIn, standInOf, switchVolumes } from './current-volumes.ts'
import { dropOthers } from './drop-others.ts'
import type { VolumeInfo, VolumeRestore } from './volume-operations.ts'
import { refuseOneOffs, runningTypes, type MountedVolume } from './while-stopped.ts'

const workOf = ({ app, name }: MountedVolume) => `volume ${app}/${name}`

/** Whether something is being put into a volume, so that what is not mounted of it is wanted. */
export function isBeingRestored({ running }: Context, app: string, name: string): boolean {
  return running.has(workOf({ app, name, current: name }))
}

/**
 * Puts a backup into a volume of an app: into a new one, while processes go on with the old one; then those that have it are
 * replaced by ones with the new one, and the old one goes. What fails leaves all as it was, and so does a caller who leaves.
 * @throws not-found; conflict where processes have it, unless `force`, and where a one-off has it; invalid for a damaged
 * backup and for one of something else; busy; disk-full; and as a restart does
 */
export async function restoreVolume(
  context: Context,
  app: string,
  name: string,
  { backup: id, force }: VolumeRestore,
  control: Control,
): Promise<VolumeInfo> {
  checkVolumeName(name)
  const backup = await findBackup(context, id)
  refuseOther(backup)
  await findApp(context, app)
  const volume = { app, name, current: (await standInOf(context, app, name)).current }
  if (context.running.has(workOf(volume))) {
    throw new RackError('busy', `something is being put into ${name} of ${app}`, {
      hint: 'Wait until it has ended.',
    })
  }
  await context.running.run(workOf(volume), async (signal) => {
    const own = { ...control, signal: AbortSignal.any([signal, control.signal]) }
    if (!force) await refuseHeld(context, volume, id, own)
    await refuseOneOffs(context, volume, own)
    say(context, own, `reading ${id} before anything is touched`)
    await checkBackup(context, backup)
    own.signal.throwIfAborted()
    await dropOthers(context, volume, own)
    const next = await freeName(context, volume, own)
    try {
      await fill(context, volume, { next, backup }, own)
      await mount(context, volume, next, own)
    } finally {
      // The next start takes away what is not mounted then.
      if (!context.running.isInterrupted()) await dropOthers(context, volume)
    }
  })
  return await getVolume(context, app, name, { sizes: false }, control)
}

function refuseOther({ id, type, service }: Backup): void {
  if (type === volumeBackup) return
  throw new RackError('invalid', `${id} is of the service ${service}, and not of a volume`, {
    hint: `Make a service of it: rack services restore ${id} --into NAME`,
  })
}

async function refuseHeld(
  context: Context,
  volume: MountedVolume,
  id: string,
  control: Control,
): Promise<void> {
  const types = await runningTypes(context, volume, control)
  if (types.length === 0) return
  const { app, name } = volume
  const who = types.join(', ')
  throw new RackError('conflict', `${who} of ${app} has ${name}: what it has written since is lost`, {
    hint: `Replace it all the same: rack volumes restore ${id} ${app}/${name} --force`,
    details: { app, volume: name, types },
  })
}

/** A name that no volume of the app has, and no file of its live release. */
async function freeName(context: Context, { app, name }: MountedVolume, control: Control): Promise<string> {
  const there = await context.engine.volumes({ owner: appOwner(app) }, control)
  const taken = new Set([
    ...there.map((one) => one.name),
    ...((await livePlanOf(context, app))?.volumes ?? []),
  ])
  for (let number = 2; ; number++) if (!taken.has(`${name}.${number}`)) return `${name}.${number}`
}

interface Filling {
  next: string
  backup: Backup
}

/** Written down first, so that whoever comes after a crash knows whose it is. */
async function fill(
  context: Context,
  volume: MountedVolume,
  { next, backup }: Filling,
  control: Control,
): Promise<void> {
  const { app, name, current } = volume
  await keepStandIn(context, volume, { current, others: [next] })
  say(context, control, `putting ${backup.id} into a new volume; ${app} goes on meanwhile`)
  const archive = contentOf(decompressZstd(openBackup(context, backup)), name)
  await context.engine.copyVolume(appOwner(app), next, { in: archive }, control)
}

async function* contentOf(archive: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  for await (const item of readBackup(archive)) {
    if ('about' in item) continue
    if (item.name !== volumePart)
      throw new RackError(
        'invalid',
        `the backup cannot be used: it holds ${item.name}, which is nothing of ${name}`,
      )
    yield* item.content
  }
}

/** A change of the app like another where its live release mounts the volume. */
async function mount(context: Context, volume: MountedVolume, next: string, control: Control): Promise<void> {
  const { app, name, current } = volume
  const volumes = { [name]: next }
  const live = await livePlanOf(context, app)
  if (live?.processes.some((one) => mountedVolumes(one).includes(current))) {
    say(context, control, `all of it is there; what has ${name} is replaced now`)
    const findTarget = async (): Promise<Target> => {
      await refuseOneOffs(context, volume, control)
      return { app, release: await liveReleaseOf(context, app), volumes, underPolicy: false }
    }
    const end = () => void endMounting(context, { app, name, next })
    control.signal.addEventListener('abort', end, { once: true })
    try {
      await changeLive(context, 'restart', { app, actor: context.caller.name, findTarget }, control)
      return
    } finally {
      control.signal.removeEventListener('abort', end)
    }
  }
  await context.turns.run(app, control.signal, async () => {
    const change = await changeOf(context, app)
    if (change) throw busyError(change)
    await switchVolumes(context, app, volumes)
  })
}

/** The change itself goes on when its caller is gone: here that is the restore, which shall not. */
async function endMounting(
  context: Context,
  { app, name, next }: { app: string; name: string; next: string },
): Promise<void> {
  try {
    const row = await changeOf(context, app)
    if (row?.intent.mounted?.[name] === next) await cancelOperation(context, row)
  } catch (error) {
    context.log('warn', `the restore into ${name} of ${app} goes on`, { code: codeOf(error) })
  }
}

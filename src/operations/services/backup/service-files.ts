import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { refuseUnready, type Service, type ServiceRun } from '../../../domain/service.ts'
import { serviceVolumes } from '../../../domain/service-plan.ts'
import { pulled } from '../../../lib/pulled.ts'
import { compressZstd, decompressZstd } from '../../../lib/zstd.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { serviceOwner } from '../bring-up.ts'
import { changeService } from '../service-work.ts'
import { findService } from '../services.ts'
import { stopService } from '../stop-service.ts'
import { startAgain } from '../switch-run.ts'
import { packBackup, readBackup, type AboutBackup, type PartSum } from './backup-archive.ts'

/** A service of a type that knows nothing of its data: its backup is the files of its volumes. */
export interface FilesService {
  service: Service
  run: ServiceRun
}

/** Whether it is of such a type. @throws not-found */
export async function hasFilesOnly(context: Context, name: string): Promise<boolean> {
  const { type } = await findService(context, name)
  return findServiceType(type)?.data?.isVolume ?? false
}

/**
 * Works while a service is stopped, and starts it again, whatever the end; a daemon that dies is followed by one that does.
 * A caller who leaves ends it.
 * @throws conflict for one that is not there yet; unsupported for one without a volume; busy
 */
export async function whileServiceStopped<T>(
  context: Context,
  name: string,
  control: Control,
  work: (found: FilesService, control: Control) => Promise<T>,
): Promise<T> {
  return await changeService(context, name, control, async (changing) => {
    const own = { ...changing, signal: AbortSignal.any([changing.signal, control.signal]) }
    const service = await findService(context, name)
    refuseUnready(service)
    const run = await context.store.services.run(name)
    if (!run || run.dataPaths.length === 0)
      throw new RackError(
        'unsupported',
        `${name} has no backup: its image says of no path that it is a volume`,
      )
    say(context, own, `stopping ${name} until its files are read`)
    try {
      await stopService(context, service, run, own)
      return await work({ service, run }, own)
    } finally {
      if (!context.running.isInterrupted()) {
        say(context, own, `starting ${name} again`)
        await startAgain(context, service, run)
      }
    }
  })
}

/** What a backup of it says of itself: its image is all that there is of a version. */
export function aboutFiles(context: Context, { service: { name, type }, run }: FilesService): AboutBackup {
  const created = context.now().toISOString()
  return { format: 1, service: name, type, version: run.image, created, port: run.port }
}

/** Takes out the files of a service that is stopped, as an archive of `backup-archive.ts` in zstd. */
export async function* dumpFiles(
  { engine }: Context,
  { service, run }: FilesService,
  { about, told }: { about: AboutBackup; told?: (sums: PartSum[]) => void },
  control: Control,
): AsyncGenerator<Uint8Array> {
  const owner = serviceOwner(service.name)
  const streams = Array.from(volumesByPart(run), ([name, volume]) => {
    const content = pulled<Uint8Array>((out, left) => {
      const signal = AbortSignal.any([control.signal, left])
      return engine.copyVolume(owner, volume, { out }, { ...control, signal })
    })
    return { name, content }
  })
  yield* compressZstd(packBackup(about, streams, told))
}

/** Puts the files of a backup into volumes that nothing runs on yet. @throws invalid for an archive of other volumes */
export async function restoreFiles(
  { engine }: Context,
  { service, run }: FilesService,
  backup: AsyncIterable<Uint8Array>,
  control: Control,
): Promise<void> {
  const left = volumesByPart(run)
  for await (const item of readBackup(decompressZstd(backup))) {
    if ('about' in item) continue
    const volume = left.get(item.name)
    if (volume === undefined)
      throw new RackError(
        'invalid',
        `the backup cannot be used: ${service.name} has no volume for its ${item.name}`,
      )
    await engine.copyVolume(serviceOwner(service.name), volume, { in: item.content }, control)
    // What the engine did not want is read all the same, for the sums.
    for await (const _ of item.content);
    left.delete(item.name)
  }
  if (left.size === 0) return
  throw new RackError('invalid', `the backup cannot be used: it has no ${[...left.keys()].join(', ')}`)
}

/** `data.tar`, `data-2.tar` …: whatever generation the volumes are of. */
function volumesByPart(run: ServiceRun): Map<string, string> {
  const names = serviceVolumes({ ...run, generation: 1 }).map((name) => `${name}.tar`)
  return new Map(serviceVolumes(run).map((volume, at) => [names[at]!, volume]))
}

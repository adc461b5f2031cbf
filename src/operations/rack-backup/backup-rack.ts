import type { Control } from '../../domain/control.ts'
import {
  rackBackupPlace,
  rackBackupParts,
  restoredKeys,
  type RackBackupScope,
  type RackBackupSeal,
} from '../../domain/rack-backup.ts'
import { compressZstd } from '../../lib/zstd.ts'
import type { Context } from '../context.ts'
import { packBackup, type PartStream } from '../services/backup/backup-archive.ts'
import { dumpOut } from '../services/backup/backups.ts'
import { flowing, jsonOf, volumeContent } from '../services/backup/part-streams.ts'
import { planRackBackup, type RackBackupPlan } from './plan-rack-backup.ts'

/**
 * Writes out all of the rack: what it keeps, the data that was asked for, and its keys; sealed, so nothing of it can be read
 * without the key of the caller. Nothing is held whole, and nothing stays but for a moment a copy of the store.
 */
export async function backupRack(
  context: Context,
  request: RackBackupScope & RackBackupSeal,
  out: (chunk: Uint8Array) => Promise<void>,
  control: Control,
): Promise<void> {
  const plan = await planRackBackup(context, request, control)
  const about = {
    format: 1 as const,
    service: context.rack.name,
    type: 'rack',
    version: context.rack.version,
    created: plan.contents.created,
  }
  const archive = compressZstd(packBackup(about, partsOf(context, plan, control)))
  const sealing = context.store.sealingWith(request.key)
  for await (const chunk of sealing.seal(archive, rackBackupPlace(request.head))) await out(chunk)
}

/** The store before the objects: what a row speaks of was there before it. */
async function* partsOf(
  context: Context,
  { contents, images, volumes }: RackBackupPlan,
  control: Control,
): AsyncGenerator<PartStream> {
  const { objects, host, store, engine } = context
  const { signal } = control
  yield { name: rackBackupParts.contents, content: jsonOf(contents) }
  yield { name: rackBackupParts.installation, content: jsonOf(host.configuration()) }
  for await (const { path, content } of store.files(control)) yield { name: path, content }
  for await (const { key } of objects.list('')) {
    signal.throwIfAborted()
    // Removed since, by retention or its owner.
    if ((await objects.size(key)) === null) continue
    yield objectPart(key, objects.get(key))
  }
  if (images.length > 0)
    yield objectPart(
      restoredKeys.images,
      flowing(control, (out, own) => engine.saveImages({ references: images, named: true }, out, own)),
    )
  for (const { app, name } of volumes) {
    const content = await volumeContent(context, { app, name }, control)
    yield sealedPart(context, restoredKeys.volume(app, name), compressZstd(content))
  }
  for (const name of contents.services) {
    const content = flowing(control, (out, own) => dumpOut(context, name, out, own))
    yield sealedPart(context, restoredKeys.service(name), content)
  }
}

/** It lies in the rack's directory for a while when it is put back, as sealed as all else there. */
function sealedPart({ store }: Context, key: string, content: AsyncIterable<Uint8Array>): PartStream {
  return objectPart(key, store.sealing.seal(content, ['restore', key]))
}

function objectPart(key: string, content: AsyncIterable<Uint8Array>): PartStream {
  return { name: `${rackBackupParts.objects}${key}`, content }
}

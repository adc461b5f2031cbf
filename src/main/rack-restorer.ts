import { createWriteStream } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { RackRestorer, SealedBackup } from '../cli/world.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { rackBackupParts, rackBackupPlace, type RackBackupContents } from '../domain/rack-backup.ts'
import { connectDocker } from '../engines/docker/client.ts'
import { findRackObjects, removeRackObjects } from '../engines/docker/rack-objects.ts'
import {
  installationPaths,
  onMachine,
  type Installation,
  type MachineInstallation,
} from '../host/installation.ts'
import { syncDirectory } from '../lib/atomic-file.ts'
import { decompressZstd } from '../lib/zstd.ts'
import { openObjects } from '../objects/directory.ts'
import { readBackup, type PartStream } from '../operations/services/backup/backup-archive.ts'
import { forgetAddresses } from '../store/forget-addresses.ts'
import { sealingOfFiles } from './seal-files.ts'

const storeFile = 'store/store.sqlite'
/** What a backup may put into a rack's directory, besides objects. */
const files = new Set(['rack.key', 'audit.key', 'audit.head', storeFile])

/** Puts racks back on this machine, for a command line that knows neither the store nor the engine. */
export const rackRestorer: RackRestorer = {
  check: readAll,
  unpack,
  async objectsOf(socketPath, rack, control) {
    return await findRackObjects(connectDocker({ socketPath }), rack, control)
  },
  async removeObjects(socketPath, of, control) {
    await removeRackObjects(connectDocker({ socketPath }), of, control)
  },
}

/** Reads a backup to its end, so that nothing is begun with one that is cut or was altered. */
async function readAll(
  sealed: SealedBackup,
  control: Control,
): Promise<{ contents: RackBackupContents; installation: MachineInstallation }> {
  const read = new Map<string, string>()
  const wanted = new Set<string>([rackBackupParts.contents, rackBackupParts.installation])
  const missing = new Set([...wanted, 'rack.key', storeFile])
  for await (const { name, content } of partsOf(sealed, control)) {
    missing.delete(name)
    if (wanted.has(name)) read.set(name, Buffer.concat(await Array.fromAsync(content)).toString())
    else for await (const _ of content);
  }
  if (missing.size > 0) throw unusable(`it has no ${[...missing].join(', ')}`)
  const parsed = (name: string): unknown => JSON.parse(read.get(name)!)
  const installation = parsed(rackBackupParts.installation) as Installation
  return {
    contents: parsed(rackBackupParts.contents) as RackBackupContents,
    installation: onMachine(installation, 'rack restore'),
  }
}

/** Fills the directory of a rack that has never been started. */
async function unpack(sealed: SealedBackup, directory: string, control: Control): Promise<void> {
  const objects = await openObjects(installationPaths(directory).objects)
  for await (const { name, content } of partsOf(sealed, control)) {
    if (name.startsWith(rackBackupParts.objects))
      await objects.put(name.slice(rackBackupParts.objects.length), content, control)
    else if (files.has(name)) await writePrivate(join(directory, name), content, control)
    else for await (const _ of content);
  }
  forgetAddresses(join(directory, storeFile))
  for (const filled of [dirname(join(directory, storeFile)), directory]) await syncDirectory(filled)
}

async function* partsOf(sealed: SealedBackup, { signal }: Control): AsyncGenerator<PartStream> {
  const sealing = sealingOfFiles(sealed.key)
  try {
    const archive = decompressZstd(sealing.open(sealed.content(), rackBackupPlace(sealed.head)))
    for await (const item of readBackup(archive)) {
      signal.throwIfAborted()
      if ('content' in item) yield item
      else if (item.about.type !== 'rack') throw unusable(`it is of a ${item.about.type}`)
    }
  } catch (error) {
    if (!(error instanceof RackError) || error.code !== 'store-failed') throw error
    throw unusable('it is cut, or was altered', error)
  }
}

async function writePrivate(
  path: string,
  content: AsyncIterable<Uint8Array>,
  { signal }: Control,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await pipeline(content, createWriteStream(path, { mode: 0o600, flags: 'wx', flush: true }), { signal })
  await chmod(path, 0o600)
}

function unusable(why: string, cause?: unknown): RackError {
  return new RackError('invalid', `the backup cannot be used: ${why}`, {
    hint: 'Nothing was changed. Take another copy of the file, or another backup.',
    cause,
  })
}

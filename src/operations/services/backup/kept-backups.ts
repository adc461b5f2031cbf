import { createHash, randomBytes } from 'node:crypto'
import type { Backup, BackupReason } from '../../../domain/backup.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { idPattern, makeId } from '../../../domain/id.ts'
import type { Objects } from '../../../domain/objects.ts'
import type { Sealing } from '../../../domain/store.ts'
import { decompressZstd } from '../../../lib/zstd.ts'
import { verifyBackup } from './backup-archive.ts'

/** Where backups are kept. */
export interface Kept {
  objects: Objects
  store: { sealing: Sealing }
}

/** What there is to say of a backup when its content was read to the end. */
type Facts = Pick<Backup, 'service' | 'type' | 'version' | 'created' | 'port' | 'parts'>

export function newBackupId(): string {
  return makeId('K', randomBytes)
}

/**
 * Keeps a backup, sealed. What is in the list is written last, when all is known: an end anywhere before leaves an object
 * that nothing names, which a sweep takes away.
 * @param facts is asked when the content is kept; what it throws takes that away again
 */
export async function keepBackup(
  kept: Kept,
  backup: { id: string; reason: BackupReason; content: AsyncIterable<Uint8Array> },
  facts: () => Promise<Facts> | Facts,
  control: Control,
): Promise<Backup> {
  const { id, reason, content } = backup
  const { objects, store } = kept
  const { bytes, sha256 } = await objects.put(
    contentKey(id),
    store.sealing.seal(content, placeOf(id)),
    control,
  )
  try {
    const { service, type, version, created, port, parts } = await facts()
    const about = { service, type, version, created, ...(port !== undefined && { port }) }
    const entry = { id, ...about, reason, bytes, sha256, parts }
    await objects.put(entryKey(id), bytesOf(entry), control)
    return entry
  } catch (error) {
    await objects.remove(contentKey(id))
    throw error
  }
}

/** Those of a service, or of all that are or were, the newest first. */
export async function listBackups({ objects }: Kept, service: string | null): Promise<Backup[]> {
  const backups: Backup[] = []
  for await (const { key } of objects.list('backups/')) {
    if (key.endsWith(entryEnd)) backups.push(await readEntry(objects, key))
  }
  const wanted = backups.filter((backup) => service === null || backup.service === service)
  return wanted.sort((a, b) => (a.created < b.created ? 1 : -1))
}

/** @throws not-found */
export async function findBackup(kept: Kept, id: string): Promise<Backup> {
  const isId = idPattern.test(id)
  if (isId && (await kept.objects.size(entryKey(id))) !== null)
    return await readEntry(kept.objects, entryKey(id))
  throw new RackError('not-found', `there is no backup ${id}`, {
    hint: 'See them with: rack services backups',
  })
}

/** Out of the list first. Safe to repeat. */
export async function removeBackup({ objects }: Kept, { id }: Pick<Backup, 'id'>): Promise<void> {
  await objects.remove(entryKey(id))
  await objects.remove(contentKey(id))
}

/** The archive, in zstd. */
export function openBackup({ objects, store }: Kept, { id }: Pick<Backup, 'id'>): AsyncIterable<Uint8Array> {
  return store.sealing.open(objects.get(contentKey(id)), placeOf(id))
}

/** Reads all of a backup before anything is done with it. @throws invalid when it is not as it was written */
export async function checkBackup(kept: Kept, backup: Backup): Promise<void> {
  const { id, service } = backup
  const sum = createHash('sha256')
  for await (const chunk of kept.objects.get(contentKey(id))) sum.update(chunk)
  if (sum.digest('hex') !== backup.sha256) {
    throw new RackError('invalid', `the backup ${id} cannot be used: it is not as it was written`, {
      hint: `Take another: rack services backups ${service}`,
    })
  }
  await verifyBackup(decompressZstd(openBackup(kept, backup)))
}

/** Removes what an end in mid-backup has left. @param isUnderWay whether a backup is being made now */
export async function sweepBackups({ objects }: Kept, isUnderWay: (id: string) => boolean): Promise<void> {
  const keys = await Array.fromAsync(objects.list('backups/'), ({ key }) => key)
  const entries = new Set(keys.filter((key) => key.endsWith(entryEnd)))
  for (const key of keys) {
    const id = key.slice('backups/'.length).replace(/\..*$/, '')
    if (!entries.has(entryKey(id)) && !isUnderWay(id)) await objects.remove(key)
  }
}

const entryEnd = '.json'

function entryKey(id: string): string {
  return `backups/${id}${entryEnd}`
}

function contentKey(id: string): string {
  return `backups/${id}.sealed`
}

function placeOf(id: string): string[] {
  return ['backup', id]
}

async function readEntry(objects: Objects, key: string): Promise<Backup> {
  const text = Buffer.concat(await Array.fromAsync(objects.get(key))).toString()
  return JSON.parse(text) as Backup
}

async function* bytesOf(backup: Backup): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(backup))
}

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable, readFile, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BackupReason } from '../../../domain/backup.ts'
import { openObjects } from '../../../objects/directory.ts'
import { createSealing } from '../../../store/stream-encryption.ts'
import { compressZstd } from '../../../lib/zstd.ts'
import { packBackup, type AboutBackup, type PartSum } from './backup-archive.ts'
import {
  checkBackup,
  findBackup,
  keepBackup,
  listBackups,
  newBackupId,
  openBackup,
  removeBackup,
  sweepBackups,
  type Kept,
} from './kept-backups.ts'

const control = { signal: new AbortController().signal, report: () => undefined }
const secret = 'a row that nobody else may read'

async function openKept() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-backups-'))
  const objects = await openObjects(directory.path)
  const store = { sealing: createSealing(randomBytes(32), randomBytes) }
  return {
    objects,
    store,
    directory: directory.path,
    [Symbol.asyncDispose]: () => directory.remove(),
  }
}

/** Keeps rows as a backup of `main`, in the form in which a service is dumped. */
async function keep(
  kept: Kept,
  created: string,
  { fails = false, reason = 'asked' }: { fails?: boolean; reason?: BackupReason } = {},
) {
  const about: AboutBackup = { format: 1, service: 'main', type: 'postgres', version: '15', created }
  let parts: PartSum[] = []
  const streams = [{ name: 'shop.dump', content: rows(fails) }]
  const content = compressZstd(packBackup(about, streams, (sums) => (parts = sums)))
  const backup = { id: newBackupId(), reason, content }
  return await keepBackup(kept, backup, () => ({ ...about, parts }), control)
}

async function* rows(fails = false) {
  yield Buffer.from(secret)
  yield randomBytes(300_000)
  if (fails) throw new Error('the server went away')
}

test('a backup is kept sealed, and listed with what it is, the newest first', async () => {
  await using kept = await openKept()
  const older = await keep(kept, '2026-03-01T10:00:00.000Z')
  const newer = await keep(kept, '2026-03-02T10:00:00.000Z', { reason: 'schedule' })
  assert.deepEqual(await listBackups(kept, 'main'), [newer, older])
  assert.deepEqual(await listBackups(kept, 'other'), [])
  const parts = older.parts.map(({ name, bytes }) => [name, bytes])
  assert.deepEqual(parts, [['shop.dump', 300_000 + secret.length]])
  assert.deepEqual(await findBackup(kept, newer.id), newer)
  await checkBackup(kept, newer)
  const files = await readdir(kept.directory, { recursive: true, withFileTypes: true })
  for (const file of files.filter((one) => one.isFile())) {
    assert.ok(!(await readFile(join(file.parentPath, file.name))).includes(secret))
  }
  await removeBackup(kept, older)
  await removeBackup(kept, older)
  assert.deepEqual(await listBackups(kept, null), [newer])
  await assert.rejects(findBackup(kept, older.id), { code: 'not-found' })
  await assert.rejects(findBackup(kept, '../main'), { code: 'not-found' })
})

test('one that breaks off is in no list', async () => {
  await using kept = await openKept()
  await assert.rejects(keep(kept, '2026-03-01T10:00:00.000Z', { fails: true }), /went away/)
  assert.deepEqual(await listBackups(kept, null), [])
  assert.deepEqual(await Array.fromAsync(kept.objects.list('backups/')), [])
})

test('one whose facts cannot be told is in no list, and leaves nothing', async () => {
  await using kept = await openKept()
  const backup = { id: newBackupId(), reason: 'asked', content: rows() } as const
  const facts = () => Promise.reject(new Error('it is none'))
  await assert.rejects(keepBackup(kept, backup, facts, control), /it is none/)
  assert.deepEqual(await Array.fromAsync(kept.objects.list('backups/')), [])
})

test('what an end between the two writes leaves is swept, but for what is under way', async () => {
  await using kept = await openKept()
  const { id } = await keep(kept, '2026-03-01T10:00:00.000Z')
  await kept.objects.put('backups/KAAAAAAAAAA.sealed', rows(), control)
  await kept.objects.put('backups/KBBBBBBBBBB.sealed', rows(), control)
  await sweepBackups(kept, (one) => one === 'KBBBBBBBBBB')
  const keys = await Array.fromAsync(kept.objects.list('backups/'), ({ key }) => key)
  const wanted = ['backups/KBBBBBBBBBB.sealed', `backups/${id}.json`, `backups/${id}.sealed`]
  assert.deepEqual(keys.sort(), wanted.sort())
})

test('one that was changed on the disk is refused before it is used', async () => {
  await using kept = await openKept()
  const backup = await keep(kept, '2026-03-01T10:00:00.000Z')
  const path = join(kept.directory, 'blobs', 'backups', `${backup.id}.sealed`)
  const bytes = await readFile(path)
  bytes[bytes.length - 100]! ^= 1
  await writeFile(path, bytes)
  await assert.rejects(checkBackup(kept, backup), { code: 'invalid' })
  await assert.rejects(Array.fromAsync(openBackup(kept, backup)), { code: 'store-failed' })
})

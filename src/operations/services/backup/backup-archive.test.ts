import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { packBackup, readBackup, verifyBackup, type AboutBackup, type PartSum } from './backup-archive.ts'

const about: AboutBackup = {
  format: 1,
  service: 'main',
  type: 'postgres',
  version: '15',
  created: '2026-03-01T10:00:00.000Z',
}

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const parts: Record<string, Buffer> = {
  'roles.sql': Buffer.from('CREATE ROLE shop;'),
  'shop.dump': randomBytes(2_500_000),
  'a%2Fb.dump': randomBytes(2 ** 20),
  'empty.dump': Buffer.alloc(0),
}

function pack(told?: (sums: PartSum[]) => void) {
  const streams = Object.entries(parts).map(([name, bytes]) => ({ name, content: inPieces(bytes, 60_000) }))
  return packBackup(about, streams, told)
}

const packed = Buffer.concat(await Array.fromAsync(pack()))

test('what was packed comes back, part by part', async () => {
  const found: Record<string, Buffer> = {}
  for await (const item of readBackup(inPieces(packed, 10_000))) {
    if ('about' in item) assert.deepEqual(item.about, about)
    else found[item.name] = Buffer.concat(await Array.fromAsync(item.content))
  }
  const { 'empty.dump': _, ...whole } = parts
  assert.deepEqual(found, whole)
})

test('its sums are told when all else is written', async () => {
  let sums: PartSum[] = []
  for await (const _ of pack((told) => (sums = told)));
  assert.deepEqual(
    sums.map(({ name, bytes }) => [name, bytes]),
    Object.entries(parts).map(([name, { length }]) => [name, length]),
  )
})

test('a backup that was cut anywhere, or changed, is refused', async () => {
  for (const length of [0, 100, 512, 2048, 1_000_000, packed.length - 1024 - 1024, packed.length - 1536]) {
    await assert.rejects(
      verifyBackup(inPieces(packed.subarray(0, length), 10_000)),
      { code: 'invalid' },
      `${length}`,
    )
  }
  const changed = Buffer.from(packed)
  changed[1_500_000]! ^= 1
  await assert.rejects(verifyBackup(inPieces(changed, 10_000)), /checksums are wrong/)
  assert.deepEqual((await verifyBackup(inPieces(packed, 10_000))).about, about)
})

test('of one that says more of itself than any does, no more than that is held', async () => {
  const long = packBackup({ ...about, version: 'x'.repeat(64 * 1024) }, [])
  await assert.rejects(verifyBackup(long), { code: 'invalid', message: /about\.json is larger than 64 KiB/ })
})

test('what is none is refused', async () => {
  await assert.rejects(verifyBackup(inPieces(randomBytes(5000), 100)), { code: 'invalid' })
  const other = packBackup({ ...about, format: 2 as 1 }, [])
  await assert.rejects(verifyBackup(other), /a form that this version does not know/)
})

test('a part that breaks off is the failure of the archive', async () => {
  const failing = async function* () {
    yield Buffer.from('half')
    throw new Error('the server went away')
  }
  await assert.rejects(
    Array.fromAsync(packBackup(about, [{ name: 'shop.dump', content: failing() }])),
    /went away/,
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { restoredKeys } from '../../domain/rack-backup.ts'
import { startMemoryRack, tester, type MemoryRack } from '../../../test/support/memory-rack.ts'

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('nothing of it')
}

async function restoringOf({ operations, control }: MemoryRack) {
  const { status, restoring } = await operations.getRack(control)
  return { status, ...restoring }
}

test('a failure that may pass undoes nothing, and what was in the way once is not told for ever', async () => {
  await using rack = await startMemoryRack()
  const { engine, objects, room, control } = rack
  await objects.put(restoredKeys.images, bytes(), control)
  const failures = [new RackError('engine-failed', 'busy'), new RackError('disk-full', 'no room')]
  engine.loadImages = async () => {
    const failure = failures.shift()
    if (failure) throw failure
    return new Map()
  }
  const left = ['images']
  assert.equal(await room.recover(control), false)
  assert.deepEqual(await restoringOf(rack), { status: 'converging', left, failed: null })
  assert.equal(await room.recover(control), false)
  assert.deepEqual(await restoringOf(rack), { status: 'converging', left, failed: 'images: no room' })
  assert.equal(await room.recover(control), true)
  assert.deepEqual(await restoringOf(rack), { status: 'running' })
})

test('what is damaged is given up at once', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  await rack.objects.put(restoredKeys.volume('shop', 'data'), bytes(), rack.control)
  // What is put back is there before the daemon.
  const room = await rack.restart({})
  assert.equal(await room.recover(rack.control), false)
  assert.match(
    (await restoringOf({ ...rack, operations: room.operations.as(tester) })).failed ?? '',
    /^volume shop\/data: .* is damaged/,
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack, tester } from '../../test/support/memory-rack.ts'
import { noPolicyChange, strictPolicy } from '../domain/policy.ts'

const nothing = noPolicyChange

test('a rack allows nothing until it is told to; what cannot be changed leaves it as it was', async () => {
  await using rack = await startMemoryRack()
  const { operations } = rack
  assert.deepEqual(await operations.getPolicy(), { ...strictPolicy })
  const loose = { ...strictPolicy, binds: ['/srv/shared'], privileged: true }
  const change = { ...nothing, allowBinds: ['/srv/shared/'], privileged: true, metadata: null }
  assert.deepEqual(await operations.changePolicy(change), loose)
  await assert.rejects(operations.changePolicy(nothing), { code: 'invalid' })
  await assert.rejects(operations.changePolicy({ ...nothing, allowBinds: ['srv'] }), {
    code: 'invalid',
  })
  await assert.rejects(operations.changePolicy({ ...nothing, denyBinds: ['/srv'] }), {
    code: 'not-found',
  })
  assert.deepEqual(await operations.getPolicy(), loose)
  const room = await rack.restart()
  assert.deepEqual(await room.operations.as(tester).getPolicy(), loose)
  assert.deepEqual(
    await operations.changePolicy({
      ...nothing,
      denyBinds: ['/srv/shared'],
      privileged: false,
      metadata: false,
    }),
    strictPolicy,
  )
})

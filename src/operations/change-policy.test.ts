import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack } from '../../test/support/memory-rack.ts'

const nothing = { allowBinds: [], denyBinds: [], privileged: null }

test('a rack allows nothing until it is told to; what cannot be changed leaves it as it was', async () => {
  await using rack = await startMemoryRack()
  const { operations } = rack
  assert.deepEqual(await operations.getPolicy(), { binds: [], privileged: false })
  const loose = { binds: ['/srv/shared'], privileged: true }
  const change = { ...nothing, allowBinds: ['/srv/shared/'], privileged: true }
  assert.deepEqual(await operations.changePolicy(change, 'test'), loose)
  await assert.rejects(operations.changePolicy(nothing, 'test'), { code: 'invalid' })
  await assert.rejects(operations.changePolicy({ ...nothing, allowBinds: ['srv'] }, 'test'), {
    code: 'invalid',
  })
  await assert.rejects(operations.changePolicy({ ...nothing, denyBinds: ['/srv'] }, 'test'), {
    code: 'not-found',
  })
  assert.deepEqual(await operations.getPolicy(), loose)
  const room = await rack.restart()
  assert.deepEqual(await room.operations.getPolicy(), loose)
  assert.deepEqual(
    await operations.changePolicy({ ...nothing, denyBinds: ['/srv/shared'], privileged: false }, 'test'),
    {
      binds: [],
      privileged: false,
    },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack } from '../support/memory-rack.ts'

const compose = (label: string, command = 'sleep') => `services:
  web: { image: shop, command: ${command} }
  db:
    image: store
    command: sleep
    environment: [KEY]
    labels: { rack.environment: "${label}" }
`

test('a variable that a process does not name keeps its copies, and the plan says what replaces the others', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const set = async (values: Record<string, string>) =>
    await operations.changeEnvironment('shop', { set: values, unset: [], replace: false })
  await set({ KEY: 'one' })
  await rack.deploy('shop', compose('declared'))
  const other = await set({ GREETING: 'hello' })
  const plan = await operations.planPromotion('shop', other.id, control)
  assert.deepEqual([plan.kept, plan.reasons], [['db'], { web: ['variable GREETING'] }])
  const promoted = await operations.promoteRelease('shop', other.id, { releaseCommand: true }, control)
  assert.deepEqual([promoted.receipt.replaced, promoted.receipt.kept], [['web'], ['db']])

  const named = await operations.planPromotion('shop', (await set({ KEY: 'two' })).id, control)
  assert.deepEqual(named.reasons, { web: ['variable KEY'], db: ['variable KEY'] })
  const whole = await rack.build('shop', compose('all', 'print x sleep'))
  const all = await operations.planPromotion('shop', whole, control)
  assert.deepEqual(all.reasons, {
    web: ['variable KEY', 'command'],
    db: ['variable GREETING', 'variable KEY'],
  })
  await assert.rejects(rack.build('shop', compose('some')), /must be all or declared/)
})

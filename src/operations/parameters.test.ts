import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack, tester } from '../../test/support/memory-rack.ts'
import { upload } from '../../test/support/upload.ts'

test('parameters are changed together or not at all', async () => {
  await using room = await startMemoryRack()
  const { operations, control } = room
  const others = ['builds.deadline=1h', 'shares.bind=0.0.0.0', 'shares.port=7443']
  const values = async () => (await operations.listParameters()).map(({ name, value }) => `${name}=${value}`)
  assert.deepEqual(await values(), ['logs.size=20M', 'logs.age=any', ...others])
  await operations.changeParameters({ 'logs.size': '50M', 'logs.age': '7d' }, control)
  assert.deepEqual(await values(), ['logs.size=50M', 'logs.age=7d', ...others])
  const wrong = operations.changeParameters({ 'logs.size': '1G', 'logs.age': 'old' }, control)
  await assert.rejects(wrong, { code: 'invalid' })
  await assert.rejects(operations.changeParameters({}, control), { code: 'invalid' })
  await assert.rejects(operations.changeParameters({ 'logs.colour': 'red' }, control), { code: 'not-found' })
  assert.deepEqual(await values(), ['logs.size=50M', 'logs.age=7d', ...others])
})

test('a build may take as long as the parameter says when it begins', async () => {
  await using rack = await startMemoryRack()
  const { engine, control } = rack
  const deadlines: number[] = []
  const watched: typeof engine = {
    ...engine,
    build: (request, how) => {
      deadlines.push(request.deadlineMs)
      return engine.build(request, how)
    },
  }
  const { operations: door } = await rack.restart({ engine: watched })
  const operations = door.as(tester)
  await operations.createApp('shop')
  const build = async () => {
    const content = upload('services: { web: { image: shop } }\n')
    await operations.buildApp('shop', { content, description: null, noCache: false }, control)
  }
  await build()
  await operations.changeParameters({ 'builds.deadline': '90m' }, control)
  await build()
  assert.deepEqual(deadlines, [3_600_000, 5_400_000])
})

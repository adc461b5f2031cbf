import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readVolumeTags, volumeTags } from './volume-tags.ts'

test('names of many volumes go into several tags, none longer than ECS takes, and come out in order', () => {
  for (const count of [0, 1, 2, 15, 60]) {
    const volumes = Array.from({ length: count }, (_each, index) => `uploads-of-customer-${index}`)
    const tags = volumeTags('web', volumes)
    assert.ok(Object.values(tags).every((value) => value.length > 0 && value.length <= 256))
    assert.deepEqual(readVolumeTags(tags), volumes)
  }
  assert.deepEqual(volumeTags('web', ['data', 'cache']), { volumes: 'data cache' })
})

test('more names than all tags hold are refused by their type', () => {
  const volumes = Array.from({ length: 200 }, (_each, index) => `uploads-of-customer-${index}`)
  for (const each of [volumes, ['v'.repeat(257)]]) {
    assert.throws(() => volumeTags('web', each), { code: 'unsupported', message: /^web: / })
  }
})

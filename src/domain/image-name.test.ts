import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitReference, wholeName } from './image-name.ts'

test('a reference is cut into repository, tag and digest', () => {
  const cases = {
    redis: ['redis', null, null],
    'redis:7': ['redis', '7', null],
    'host:5000/team/web': ['host:5000/team/web', null, null],
    'host:5000/team/web:1': ['host:5000/team/web', '1', null],
    'redis@sha256:abc': ['redis', null, 'sha256:abc'],
    'redis:7@sha256:abc': ['redis', '7', 'sha256:abc'],
  }
  for (const [name, expected] of Object.entries(cases)) {
    const { repository, tag, digest } = splitReference(name)
    assert.deepEqual([repository, tag, digest], expected)
  }
})

test('all ways in which one image is named are one name, and others are others', () => {
  for (const name of [
    'redis',
    'redis:latest',
    'library/redis',
    'docker.io/redis',
    'index.docker.io/library/redis',
  ])
    assert.equal(wholeName(name), 'redis:latest', name)
  assert.equal(wholeName('docker.io/team/web:1'), 'team/web:1')
  assert.equal(wholeName('redis:7@sha256:abc'), 'redis@sha256:abc')
  for (const name of ['host:5000/library/web:3', 'host/web:1', 'team/library/web:1'])
    assert.equal(wholeName(name), name)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildArguments } from './build-one.ts'
import { readImage } from './image-config.ts'
import { imageTag, splitReference } from './images.ts'

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

test('names of images are those that Docker takes, and never two the same', () => {
  const of = { rack: 'main', app: 'shop', type: 'web', build: 'BABCDEFGHIJ' }
  assert.equal(imageTag(of), 'rack/main/shop/web:babcdefghij')
  // https://github.com/distribution/reference: the grammar of a path component.
  const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
  const types = ['web', 'web-', 'web--', 'web-x', 'a-b-']
  const tags = types.map((type) => imageTag({ ...of, type }))
  assert.equal(new Set(tags).size, types.length)
  for (const tag of tags) assert.match(tag.split(':')[0]!.split('/')[3]!, component)
})

const known = { Id: 'sha256:a', RepoTags: null, RepoDigests: null }

test('an image that says nothing has nothing', () => {
  const bare = { digest: 'sha256:a', exposed: [], link: {}, user: null, healthcheck: null, volumes: [] }
  assert.deepEqual(readImage({ ...known, Config: null }), bare)
  const Config = { User: '', Healthcheck: { Test: ['NONE'] }, Env: ['PATH=/bin'] }
  assert.deepEqual(readImage({ ...known, Config }), bare)
})

test('LINK_ variables are read with = in their values and without any', () => {
  const Env = ['LINK_PATH=/db?a=b', 'LINK_EMPTY', 'XLINK_A=1']
  const read = readImage({ ...known, Config: { Env, ExposedPorts: { '90': {}, '80/tcp': {} } } })
  assert.deepEqual(read.link, { LINK_PATH: '/db?a=b', LINK_EMPTY: '' })
  assert.deepEqual(read.exposed, ['80/tcp', '90/tcp'])
})

test('arguments: a value wins, a bare one takes the environment, what nobody gives is left out', () => {
  const args = { SET: 'compose', BARE: null, LOST: null }
  const environment = { SET: 'app', BARE: 'app', INSIDE: 'app', OTHER: 'app' }
  assert.deepEqual(buildArguments(args, ['INSIDE', 'NOWHERE'], environment), {
    INSIDE: 'app',
    SET: 'compose',
    BARE: 'app',
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildArguments } from './build-one.ts'
import { readImage } from './image-config.ts'
import { carriesName, imageTag, isRacksOwn } from './images.ts'

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

test('an image has its names, however they are written; its id is none of them', () => {
  const digest = `sha256:${'b'.repeat(64)}`
  const image = {
    Id: `sha256:abc${'0'.repeat(61)}`,
    RepoTags: ['busybox:1', 'busybox:latest', 'team/web:2', 'host:5000/library/web:3'],
    RepoDigests: [`busybox@${digest}`],
    Config: null,
  }
  const names = [
    'busybox:1',
    'busybox',
    'docker.io/busybox:1',
    'docker.io/library/busybox:1',
    'library/busybox',
  ]
  const more = [
    'index.docker.io/team/web:2',
    `busybox@${digest}`,
    `busybox:1@${digest}`,
    'host:5000/library/web:3',
  ]
  for (const name of [...names, ...more]) assert.ok(carriesName(image, name), name)
  const others = ['abc', image.Id, 'abc000', 'busybox:2', 'web:2', 'host:5000/web:3', `team/web@${digest}`]
  for (const name of others) assert.ok(!carriesName(image, name), name)
})

test('names that a rack gives are told from those of a registry', () => {
  for (const name of ['rack/main/shop/web:b1', 'docker.io/rack/main/shop/web', 'rack/main/shop/web@sha256:a'])
    assert.ok(isRacksOwn(name), name)
  for (const name of [
    'rack/web:1',
    'host/rack/main/shop/web',
    'racks/main/shop/web',
    'localhost:5000/rack/a/b/c',
  ])
    assert.ok(!isRacksOwn(name), name)
})

const known = { Id: 'sha256:a', RepoTags: null }

test('an image that says nothing has nothing', () => {
  const bare = {
    reference: 'sha256:a',
    digest: 'sha256:a',
    exposed: [],
    link: {},
    user: null,
    healthcheck: null,
    volumes: [],
    entrypoint: null,
    command: null,
    workingDir: null,
    stopSignal: null,
  }
  assert.deepEqual(readImage({ ...known, Config: null }), bare)
  const Config = {
    User: '',
    Healthcheck: { Test: ['NONE'] },
    Env: ['PATH=/bin'],
    Entrypoint: [],
    Cmd: null,
    WorkingDir: '',
    StopSignal: '',
  }
  assert.deepEqual(readImage({ ...known, Config }), bare)
})

test('what an image says of its process is kept', () => {
  const Config = {
    Entrypoint: ['/entry.sh'],
    Cmd: ['serve', '--port', '80'],
    WorkingDir: '/srv',
    StopSignal: 'SIGQUIT',
  }
  const { entrypoint, command, workingDir, stopSignal } = readImage({ ...known, Config })
  assert.deepEqual(
    { entrypoint, command, workingDir, stopSignal },
    {
      entrypoint: ['/entry.sh'],
      command: ['serve', '--port', '80'],
      workingDir: '/srv',
      stopSignal: 'SIGQUIT',
    },
  )
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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allowsBind,
  allowsDevice,
  allowsVolume,
  anyPolicy,
  bindRoot,
  changedPolicy,
  noPolicyChange,
  refuseGuarded,
  strictPolicy,
} from './policy.ts'

const nothing = noPolicyChange

test('a path is allowed at and below a root, and nowhere beside it', () => {
  const policy = { ...strictPolicy, binds: ['/srv/shared'] }
  const paths = ['/srv/shared', '/srv/shared/a/b', '/srv/sharedness', '/srv', '/']
  assert.deepEqual(
    paths.map((path) => allowsBind(policy, path)),
    [true, true, false, false, false],
  )
  assert.ok(!allowsBind(strictPolicy, '/srv'))
  assert.ok(paths.every((path) => allowsBind(anyPolicy, path)))
})

test('a path is kept in one form; what is relative, climbs or is everything is refused', () => {
  assert.deepEqual(['/srv/shared/', '//srv/./shared', '/srv'].map(bindRoot), [
    '/srv/shared',
    '/srv/shared',
    '/srv',
  ])
  for (const text of ['', 'srv', './srv', '~/srv', '/srv/../etc', '/srv\n', '/srv\0']) {
    assert.throws(() => bindRoot(text), { code: 'invalid', message: /not an absolute path/ })
  }
  for (const text of ['/', '//', '/.']) assert.throws(() => bindRoot(text), { message: /all of the machine/ })
})

test('a change adds, takes away and leaves the rest', () => {
  const one = changedPolicy(strictPolicy, { ...nothing, allowBinds: ['/srv/b/', '/srv/a', '/srv/b'] })
  assert.deepEqual(one, { ...strictPolicy, binds: ['/srv/a', '/srv/b'] })
  const two = changedPolicy(one, {
    ...nothing,
    allowBinds: ['/srv/c'],
    denyBinds: ['/srv/a/'],
    privileged: true,
  })
  assert.deepEqual(two, { ...strictPolicy, binds: ['/srv/b', '/srv/c'], privileged: true })
  assert.deepEqual(changedPolicy(two, nothing), two)
  assert.deepEqual(changedPolicy(two, { ...nothing, privileged: false, metadata: false }), {
    ...two,
    privileged: false,
  })
  // Said both ways, the path is allowed: taken away first.
  assert.deepEqual(changedPolicy(one, { ...nothing, allowBinds: ['/srv/a'], denyBinds: ['/srv/a'] }), one)
})

test('denying what is not allowed says what is', () => {
  const policy = { ...strictPolicy, binds: ['/srv/a'] }
  const deny = (path: string) => () => changedPolicy(policy, { ...nothing, denyBinds: [path] })
  assert.throws(deny('/srv/x'), { code: 'not-found', message: /allows: \/srv\/a$/, hint: /rack policy/ })
  assert.throws(deny('/srv/a/below'), { code: 'not-found', hint: /--deny-bind \/srv\/a$/ })
})

test('devices are paths below /dev, or the GPUs; volumes are names', () => {
  const change = {
    ...nothing,
    allowDevices: ['/dev/dri/', 'gpu'],
    allowVolumes: ['data_1'],
    hostGateway: true,
  }
  const policy = changedPolicy(strictPolicy, change)
  assert.deepEqual(policy, {
    ...strictPolicy,
    devices: ['/dev/dri', 'gpu'],
    volumes: ['data_1'],
    hostGateway: true,
  })
  const devices = ['/dev/dri', '/dev/dri/card0', 'gpu', '/dev/dribble', '/dev/sda']
  assert.deepEqual(
    devices.map((device) => allowsDevice(policy, device)),
    [true, true, true, false, false],
  )
  assert.ok(allowsDevice({ ...strictPolicy, privileged: true }, '/dev/sda'))
  assert.deepEqual([allowsVolume(policy, 'data_1'), allowsVolume(policy, 'data')], [true, false])
  assert.ok(allowsVolume(anyPolicy, 'data'))
  for (const text of ['/srv', 'dri', '/dev', '/dev/../etc'])
    assert.throws(() => changedPolicy(strictPolicy, { ...nothing, allowDevices: [text] }), {
      code: 'invalid',
    })
  for (const text of ['*', 'a/b', ''])
    assert.throws(() => changedPolicy(strictPolicy, { ...nothing, allowVolumes: [text] }), {
      code: 'invalid',
    })
  assert.throws(() => changedPolicy(policy, { ...nothing, denyDevices: ['/dev/dri/card0'] }), {
    code: 'not-found',
    hint: /--deny-device \/dev\/dri$/,
  })
})

test('what is guarded is reached by no allowed path', () => {
  const guarded = [
    { path: '/run/docker.sock', what: "Docker Engine's socket" },
    { path: '/var/lib/rack/rack', what: "the rack's own directory" },
  ]
  const refused = (path: string, why: RegExp) =>
    assert.throws(() => refuseGuarded(path, guarded), { code: 'invalid', message: why })
  refused('/run', /\/run cannot be allowed: it contains Docker Engine's socket/)
  refused('/run/docker.sock', /it is Docker/)
  refused('/var/lib', /contains the rack's own directory/)
  refused('/var/lib/rack/rack/store', /it lies in the rack's own directory/)
  for (const path of ['/srv', '/run/docker.sock2', '/var/lib/rack/rack-data']) refuseGuarded(path, guarded)
})

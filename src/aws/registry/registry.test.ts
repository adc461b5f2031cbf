import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layerTar } from './layer.ts'
import { copyImage } from './copy-image.ts'
import { readManifest } from './manifests.ts'
import { nameOf, placeOf } from './place.ts'
import { createRegistry } from './registry.ts'
import { readChallenge } from './challenge.ts'
import { startImageRegistry } from '../../../test/support/image-registry.ts'

test('names of images lead to registries', () => {
  const shown = (name: string) => Object.values(placeOf(name)).join(' ')
  assert.equal(shown('busybox'), 'docker.io library/busybox latest')
  assert.equal(shown('docker.io/team/web:1'), 'docker.io team/web 1')
  assert.equal(shown('127.0.0.1:5000/web@sha256:1'), '127.0.0.1:5000 web sha256:1')
  assert.equal(shown('localhost/a/b:c'), 'localhost a/b c')
  assert.equal(nameOf(placeOf('h.example/a:1'), 'sha256:2'), 'h.example/a@sha256:2')
})

test('a registry says how it wants to be asked', () => {
  assert.deepEqual(readChallenge('Basic realm="x"'), { scheme: 'basic' })
  assert.deepEqual(
    readChallenge('Bearer realm="https://a/t?x=1,2",service=s, scope="repository:a:pull,push"'),
    {
      scheme: 'bearer',
      realm: 'https://a/t?x=1,2',
      service: 's',
      scope: 'repository:a:pull,push',
    },
  )
  assert.equal(readChallenge('Negotiate'), null)
})

test('a token is fetched by the login where a registry asks for one', async () => {
  const login = { username: 'u', password: 'p' }
  await using foreign = await startImageRegistry(archive(), { ...login, way: 'token' })
  const { signal } = new AbortController()
  const platform = { os: 'linux', architecture: 'amd64' }
  const wanted = { repository: 'team/web', reference: 'v1', platform }
  const known = createRegistry({ host: foreign.host, account: async () => login })
  assert.equal((await readManifest(known, wanted, signal)).manifest.layers.length, 1)
  const unknown = createRegistry({ host: foreign.host, account: async () => null })
  await assert.rejects(readManifest(unknown, wanted, signal), { name: 'RegistryError', status: 401 })
  const index = { ...wanted, reference: `sha256:${'0'.repeat(64)}` }
  await assert.rejects(readManifest(known, index, signal), { status: 404 })
})

test('an image that is for another platform alone is refused before a layer is copied', async () => {
  const login = { username: 'u', password: 'p' }
  const config = '{"os":"linux","architecture":"arm64"}'
  await using foreign = await startImageRegistry(archive(config), { ...login, way: 'token' })
  const { signal } = new AbortController()
  const registry = createRegistry({ host: foreign.host, account: async () => login })
  const platform = { os: 'linux', architecture: 'amd64' }
  const from = { registry, repository: 'team/web', reference: 'v1', platform }
  await assert.rejects(copyImage(from, { registry, repository: 'team/other' }, signal), {
    name: 'RegistryError',
    message: `${foreign.host}/team/web: it is an image for linux/arm64, and one for linux/amd64 is wanted`,
  })
})

async function* archive(config = '{}') {
  const file = (path: string, text: string) => ({
    path,
    type: 'file' as const,
    mode: 0o644,
    uid: 0,
    gid: 0,
    content: Buffer.from(text),
  })
  const manifest = JSON.stringify([{ Config: 'config.json', Layers: ['layer.tar'] }])
  yield layerTar([file('/manifest.json', manifest), file('/config.json', config), file('/layer.tar', '')])
}

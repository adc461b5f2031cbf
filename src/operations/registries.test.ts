import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack, tester } from '../../test/support/memory-rack.ts'
import { upload } from '../../test/support/upload.ts'
import { checkRegistryHost, registryOf, type RegistryLogin } from '../domain/registry.ts'

const login = { host: 'registry.example.com', username: 'deploy', password: 'hush-4711' }

test('a login is kept when the registry takes it, is replaced by the next, and is never told', async () => {
  await using rack = await startMemoryRack()
  const { operations, store, control } = rack
  const { username } = await operations.addRegistry(login, control)
  assert.equal(username, 'deploy')
  const wrong = operations.addRegistry({ ...login, username: 'other', password: 'wrong' }, control)
  await assert.rejects(wrong, { code: 'invalid' })
  await assert.rejects(operations.addRegistry({ ...login, password: '' }, control), { code: 'invalid' })
  assert.deepEqual(await store.registries.logins(), [login], 'what was refused changes nothing')
  await operations.addRegistry(
    { ...login, host: 'https://Registry.Example.com/v2/', username: 'new' },
    control,
  )
  const listed = await operations.listRegistries()
  assert.deepEqual(
    listed.map(({ host, username: name }) => [host, name]),
    [['registry.example.com', 'new']],
  )
  assert.ok(!JSON.stringify([listed, await operations.listAudit({ limit: 50 })]).includes(login.password))
  await operations.removeRegistry('registry.example.com')
  assert.deepEqual(await operations.listRegistries(), [])
  await assert.rejects(operations.removeRegistry('registry.example.com'), { code: 'not-found' })
})

test('a build has the logins of the rack', async () => {
  await using rack = await startMemoryRack()
  const given: (RegistryLogin[] | undefined)[] = []
  const engine: typeof rack.engine = {
    ...rack.engine,
    build: (request, control) => {
      given.push(request.logins)
      return rack.engine.build(request, control)
    },
  }
  const operations = (await rack.restart({ engine })).operations.as(tester)
  await operations.createApp('shop')
  await operations.addRegistry(login, rack.control)
  const content = upload('services: { web: { image: registry.example.com/shop } }\n')
  await operations.buildApp('shop', { content, description: null, noCache: false }, rack.control)
  assert.deepEqual(given, [[login]])
})

test('a registry is what images name, whatever stands for the one that none names', () => {
  const hosts: [string, string][] = [
    ['Registry.Example.com:5000', 'registry.example.com:5000'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['localhost:5000', 'localhost:5000'],
  ]
  for (const [text, host] of hosts) assert.equal(checkRegistryHost(text), host)
  for (const text of ['', 'a/b', 'user@host', 'a b', '-x', 'a'.repeat(300), 'host:port', '../x']) {
    assert.throws(() => checkRegistryHost(text), { code: 'invalid' }, text)
  }
  const images: [string, string][] = [
    ['busybox:1', 'docker.io'],
    ['team/web', 'docker.io'],
    ['index.docker.io/team/web:1', 'docker.io'],
    ['registry.example.com/web@sha256:0', 'registry.example.com'],
    ['localhost/web', 'localhost'],
    ['host:5000/web', 'host:5000'],
  ]
  for (const [image, host] of images) assert.equal(registryOf(image), host, image)
})

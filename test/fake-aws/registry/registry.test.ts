import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { copyImage } from '../../../src/aws/registry/copy-image.ts'
import { deriveImage } from '../../../src/aws/registry/derive-image.ts'
import { hasManifest } from '../../../src/aws/registry/manifests.ts'
import { createRegistry, type Registry } from '../../../src/aws/registry/registry.ts'
import { connectDocker } from '../../../src/engines/docker/client.ts'
import { pullHeaders } from '../../../src/engines/docker/images/registry-logins.ts'
import { controlFor, dockerSocket } from '../../support/docker-rack.ts'
import { startPrivateRegistry } from '../../support/private-registry.ts'
import { createFakeAccount } from '../account.ts'
import { createBook } from './book.ts'
import { startRegistry, type AccountRegistry } from './start-registry.ts'
import { labelsOf } from '../ecs/task-network.ts'

const docker = connectDocker({ socketPath: dockerSocket })
const platform = { os: 'linux', architecture: 'amd64' }
const account = await createFakeAccount()
const book = createBook(() => account.clock.now())
const stack = new AsyncDisposableStack()
let inside: AccountRegistry
let own: Registry
let outside: { registry: Registry; name: string }
const { signal } = new AbortController()

before(async () => {
  stack.defer(async () => await rm(account.directory, { recursive: true, force: true }))
  stack.defer(() => account.clock.close())
  inside = stack.use(await startRegistry(account, book))
  own = createRegistry({ host: inside.host, account: async () => inside.login() })
  const foreign = stack.use(await startPrivateRegistry())
  await foreign.push(docker, 'busybox:1', 'team/box:1')
  const registry = createRegistry({ host: foreign.host, account: async () => foreign })
  outside = { registry, name: 'team/box' }
  book.create('rack/r/a')
})
after(async () => await stack.disposeAsync())

const box = () => ({ registry: outside.registry, repository: outside.name, reference: '1', platform })
const to = () => ({ registry: own, repository: 'rack/r/a' })

test('an image goes from one registry to another, once, and only into a repository that is there', async () => {
  const copied = await copyImage(box(), to(), signal)
  assert.ok(book.digestOf('rack/r/a', copied.digest))
  const before = inside.asked.length
  await copyImage(box(), to(), signal)
  assert.deepEqual(inside.asked.slice(before), [`HEAD /v2/rack/r/a/manifests/${copied.digest}`])
  await assert.rejects(copyImage(box(), { ...to(), repository: 'rack/r/b' }, signal), {
    name: 'RegistryError',
    code: 'NAME_UNKNOWN',
  })
  const stranger = createRegistry({
    host: inside.host,
    account: async () => ({ username: 'AWS', password: 'x' }),
  })
  await assert.rejects(copyImage(box(), { ...to(), registry: stranger }, signal), { status: 401 })
})

test('a login that has ended is followed by another one', async () => {
  const absent = { repository: 'rack/r/a', digest: `sha256:${'0'.repeat(64)}` }
  assert.equal(await hasManifest(own, absent, signal), false)
  inside.endLogins()
  assert.equal(await hasManifest(own, absent, signal), false)
})

test('a derived image has its files, links and stop signal, keeps directories as they are, and is made once', async () => {
  const content = Buffer.from('colour=red')
  const derivation = {
    files: [
      { path: '/etc/shop/app.conf', mode: 0o640, uid: 7, gid: 8, what: { content } },
      { path: '/tmp/key', mode: 0o400, uid: 0, gid: 0, what: { link: '/run/rack/0' } },
    ],
    stopSignal: 'SIGINT',
  }
  const base = await copyImage(box(), to(), signal)
  const from = { ...to(), reference: base.digest, platform }
  const derived = await deriveImage(from, to(), derivation, signal)
  const before = inside.asked.length
  assert.equal((await deriveImage(from, to(), derivation, signal)).digest, derived.digest)
  assert.ok(inside.asked.slice(before).every((line) => /^(GET|HEAD) /.test(line)))
  const shown = await runIn(
    `rack/r/a@${derived.digest}`,
    'stat -c "%a %u %g" /etc/shop /etc/shop/app.conf /tmp; cat /etc/shop/app.conf; readlink /tmp/key',
  )
  assert.deepEqual(shown.lines, ['755 0 0', '640 7 8', '1777 0 0', 'colour=red/run/rack/0'])
  assert.equal(shown.stopSignal, 'SIGINT')
})

test('a file in the place of a directory of the image is refused', async () => {
  const files = [{ path: '/etc', mode: 0o644, uid: 0, gid: 0, what: { content: Buffer.from('x') } }]
  await assert.rejects(deriveImage(box(), to(), { files, stopSignal: null }, signal), {
    name: 'PathInTheWay',
  })
})

/** Pulls an image of the account as a task would, and runs a shell in it. */
async function runIn(name: string, script: string): Promise<{ lines: string[]; stopSignal: string }> {
  const control = controlFor(60_000)
  const reference = `${inside.host}/${name}`
  const [fromImage, tag] = reference.split('@')
  const headers = pullHeaders(reference, [{ host: inside.host, ...inside.login() }])
  for await (const chunk of await docker.stream(
    { method: 'POST', path: '/images/create', query: { fromImage, tag }, headers },
    control,
  ))
    assert.doesNotMatch(String(chunk), /"error"/)
  await using undo = new AsyncDisposableStack()
  undo.defer(async () => {
    await docker.json({ method: 'DELETE', path: `/images/${reference}`, query: { force: true } }, control)
  })
  const { Config } = await docker.json<{ Config: { StopSignal: string } }>(
    { path: `/images/${reference}/json` },
    control,
  )
  const body = { Image: reference, Cmd: ['sh', '-c', script], Tty: true, Labels: await labelsOf(account.run) }
  const { Id } = await docker.json<{ Id: string }>(
    { method: 'POST', path: '/containers/create', body },
    control,
  )
  undo.defer(async () => {
    await docker.json(
      { method: 'DELETE', path: `/containers/${Id}`, query: { force: true, v: true } },
      control,
    )
  })
  await docker.json({ method: 'POST', path: `/containers/${Id}/start` }, control)
  await docker.json({ method: 'POST', path: `/containers/${Id}/wait` }, control)
  let said = ''
  const query = { stdout: true, stderr: true }
  for await (const chunk of await docker.stream({ path: `/containers/${Id}/logs`, query }, control))
    said += String(chunk)
  return { lines: said.trim().split('\r\n'), stopSignal: Config.StopSignal }
}

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { codeOf } from '../../src/domain/error.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { createImageBuilder } from '../../src/engines/docker/images/image-builder.ts'
import { sweepImages } from '../../src/engines/docker/images/images.ts'
import { until } from '../../src/lib/poll.ts'
import type { AppSummary } from '../../src/operations/operations.ts'
import { buildSpec } from '../support/build-spec.ts'
import { controlFor, dockerSocket } from '../support/docker-rack.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { startPrivateRegistry, type PrivateRegistry } from '../support/private-registry.ts'
import { makeSource } from '../support/source.ts'
import { packTar } from '../support/tar.ts'
import { visitLocally } from '../support/visits.ts'

const docker = connectDocker({ socketPath: dockerSocket })
const patience = { deadlineMs: 60_000, intervalMs: 200 }
/** Where the images of this test come from, before they are in the registry. */
const maker = `test-made-${process.pid}`

let rack: InstalledRack
let registry: PrivateRegistry
before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
  registry = await startPrivateRegistry()
  await registry.push(docker, await made('first'), 'team/web:1')
})
after(async () => {
  await registry[Symbol.asyncDispose]()
  await rack[Symbol.asyncDispose]()
  await sweepImages(docker, { rack: maker, keep: new Set() }, controlFor(30_000))
  await removePulled()
})

/** What was pulled keeps the name by which it was. */
async function removePulled(): Promise<void> {
  const query = { filters: { reference: [`${registry.host}/team/web`] } }
  const found = await docker.json<{ Id: string }[]>({ path: '/images/json', query }, controlFor(30_000))
  for (const { Id } of found) {
    const removal = { method: 'DELETE', path: `/images/${Id}`, query: { force: true } } as const
    await docker.json(removal, controlFor(30_000))
  }
}

/** The id of an image that serves a word. */
async function made(word: string): Promise<string> {
  const lines = ['FROM busybox:1', `RUN mkdir /www && echo ${word}-${process.pid} > /www/index.html`]
  const command = 'CMD ["httpd", "-f", "-p", "3000", "-h", "/www"]'
  const content = [...lines, command, ''].join('\n')
  const request = {
    app: 'maker',
    build: 'BAAAAAAAAAA',
    images: [{ processes: ['web'], build: buildSpec(), image: null }],
    source: () => packTar([{ name: 'Dockerfile', content }]),
    environment: {},
    noCache: true,
    deadlineMs: 60_000,
  }
  const built = await createImageBuilder({ docker, rack: maker }).build(request, controlFor(60_000))
  return built['web']!.reference
}

const add = async (password: string) =>
  await rack.attempt(['registries', 'add', registry.host, '--username', registry.username], {
    input: `${password}\n`,
  })
const image = () => `${registry.host}/team/web:1`
const page = async (app: string) => (await visitLocally(rack.httpPort)(`${app}.localhost`))?.text.trim()

test('a private image without a login, and a wrong password, are told with what to type', async () => {
  const without = await rack.attempt(['deploy', '--app', 'shop', '--image', image(), '--port', '3000'])
  assert.equal(without.code, 1)
  assert.match(without.stderr, new RegExp(`rack registries add ${registry.host} --username NAME`))
  const wrong = await add('wr0ng-4712-password')
  assert.notEqual(wrong.code, 0)
  assert.match(wrong.stderr, new RegExp(`error: .*${registry.host}`))
  assert.doesNotMatch(wrong.stderr + wrong.stdout, /wr0ng/)
  assert.deepEqual(await rack.json('registries', 'list'), [])
})

test('with a login a private image is pulled, and a Dockerfile stands on one', async () => {
  const added = await add(registry.password)
  assert.equal(added.code, 0, added.stderr)
  assert.doesNotMatch(added.stderr + added.stdout, /s3cret/)
  await rack.run('deploy', '--app', 'shop', '--image', image(), '--port', '3000')
  assert.equal(await page('shop'), `first-${process.pid}`)
  await using source = await makeSource({
    'docker-compose.yml':
      'services:\n  web:\n    build: .\n    ports: ["80:3000"]\n    stop_grace_period: 1s\n',
    Dockerfile: `FROM ${image()}\nRUN echo built >> /www/index.html\n`,
  })
  await rack.run('deploy', '--app', 'built', source.path)
  assert.equal(await page('built'), `first-${process.pid}\nbuilt`)
})

interface Container {
  Id: string
  Image: string
}

const containersOf = async (app: string) => {
  const query = { all: true, filters: { label: [`com.rack.name=${rack.name}`, `com.rack.app=${app}`] } }
  return await docker.json<Container[]>({ path: '/containers/json', query }, controlFor(10_000))
}

/** Docker lets no image go that a container has: one may be brought back in between. */
async function loseImage(app: string, lost: string): Promise<boolean> {
  const removal = { method: 'DELETE', query: { force: true } } as const
  try {
    for (const { Id } of await containersOf(app))
      await docker.json({ ...removal, path: `/containers/${Id}` }, controlFor(20_000))
    await docker.json({ ...removal, path: `/images/${lost}` }, controlFor(20_000))
    return true
  } catch (error) {
    if (codeOf(error) === 'not-found') return true
    if (codeOf(error) === 'conflict') return false
    throw error
  }
}

/** Removes the containers of an app and their image; gives its id. */
async function lose(app: string): Promise<string> {
  const [{ Image: lost }] = (await containersOf(app)) as [Container]
  await until(async () => await loseImage(app, lost), { ...patience, what: `the image of ${app} to be gone` })
  return lost
}

async function isBack(app: string, lost: string, text: string): Promise<void> {
  // A request may wait for the copy that is due.
  const answers = async () => (await page(app).catch(() => '')) === text
  await until(answers, { ...patience, what: `${app} to answer as before` })
  assert.equal((await containersOf(app))[0]?.Image, lost)
}

/** It may have been tried while the image was about to go: the next try says what is true by then. */
const troubleOf = async (app: string, message: RegExp) => {
  const told = async () => {
    const { lacks } = await rack.json<AppSummary>('apps', 'info', app)
    return lacks.find(({ trouble }) => trouble !== null && message.test(trouble.message))?.trouble
  }
  return await until(told, { ...patience, what: `the loss of ${app} to be told` })
}

test('a lost image is had again by itself: built of the kept source, or pulled as it was, wherever its tag leads', async () => {
  await isBack('built', await lose('built'), `first-${process.pid}\nbuilt`)
  await registry.push(docker, await made('second'), 'team/web:1')
  await isBack('shop', await lose('shop'), `first-${process.pid}`)
  const isWell = async () =>
    (await rack.json<AppSummary[]>('apps')).every(({ status }) => status === 'running')
  await until(isWell, { ...patience, what: 'both apps to be well' })
})

test('what would be another image, or is not given, is told with what to type', async () => {
  await lose('built')
  const another = /^the image of web is lost, and what its source makes now is another one$/
  const other = await troubleOf('built', another)
  assert.match(other.hint ?? '', /^Make it live: rack builds rebuild B\w+ --app built$/)
  await rack.run('registries', 'remove', registry.host, '--yes')
  await lose('shop')
  const { hint } = await troubleOf('shop', /the image .*team\/web@sha256:.* cannot be pulled/)
  assert.match(hint ?? '', /rack registries add /)
})

test('the password is nowhere in the clear: no file of the rack, no log of a build', async () => {
  const names = await readdir(rack.directory, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  assert.ok(files.length > 5)
  for (const file of files) {
    const bytes = (await readFile(file)).toString('latin1')
    assert.doesNotMatch(bytes, /s3cret-4711|wr0ng-4712/, file)
    assert.ok(
      !bytes.includes(Buffer.from(`${registry.username}:${registry.password}`).toString('base64')),
      file,
    )
  }
  assert.doesNotMatch(await rack.run('builds', 'logs', '--app', 'built'), /s3cret/)
})

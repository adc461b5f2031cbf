import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { bytesUpTo } from '../../src/lib/bytes-up-to.ts'
import { pulled } from '../../src/lib/pulled.ts'
import { readTar, writeTar, type TarEntry } from '../../src/lib/tar.ts'
import { findImage } from '../../src/engines/docker/images/images.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'
import { deployPlan } from '../support/deploy-plan.ts'

let first: Awaited<ReturnType<typeof openDockerRack>>
let image = ''

before(async () => {
  first = await openDockerRack()
  image = await first.image('busybox:1')
})
after(() => first.close())

const networksOf = async (rack: string) => {
  const query = { filters: { label: [`com.rack.name=${rack}`] } }
  const found = await first.docker.json<{ Name: string }[]>({ path: '/networks', query }, controlFor(60_000))
  return found.map(({ Name }) => Name)
}

test('a rack touches nothing of another one, where both would have one name for it', async () => {
  const control = controlFor(60_000)
  const sleeps = processPlan({ image, command: ['sleep', '600'], stopGraceMs: 100 })
  const plan = (app: string, rack: string) => planOf([sleeps], { owner: appOwner(app), rack })
  // `RACK-shop-web` for the app shop-web of RACK, and for the app web of RACK-shop.
  const rack = `${first.rack}-shop`
  const second = first.reopen({ rack, directory: join(first.directory, 'second') })
  try {
    await deployPlan(first.engine, plan('shop-web', first.rack), control)
    const [before] = await first.engine.processes({ owner: appOwner('shop-web') }, control)
    await assert.rejects(deployPlan(second, plan('web', rack), control), {
      code: 'conflict',
      message: `the network of web would be ${first.rack}-shop-web, the name of one of the app shop-web of the rack ${first.rack}`,
      hint: 'Give the app another name.',
    })
    await second.remove(appOwner('web'), { volumes: true }, control)
    await second.sweep({ owners: [], images: [], buildCache: false, volumes: true }, control)
    assert.deepEqual(await networksOf(first.rack), [`${first.rack}-shop-web`])
    const [now] = await first.engine.processes({ owner: appOwner('shop-web') }, control)
    assert.deepEqual([now?.id, now?.status, now?.address], [before?.id, 'running', before?.address])
  } finally {
    await second.close()
  }
})

test('an empty network of a person that has the name is left alone', async () => {
  const control = controlFor(60_000)
  const name = `${first.rack}-taken`
  const body = { Name: name, Driver: 'bridge' }
  await first.docker.json({ method: 'POST', path: '/networks/create', body }, control)
  try {
    const sleeps = processPlan({ image, command: ['sleep', '600'], stopGraceMs: 100 })
    const deploying = deployPlan(
      first.engine,
      planOf([sleeps], { owner: appOwner('taken'), rack: first.rack }),
      control,
    )
    await assert.rejects(deploying, { code: 'conflict', message: /the name of one that is no rack's/ })
    await first.engine.remove(appOwner('taken'), { volumes: true }, control)
    await first.docker.json({ path: `/networks/${name}` }, control)
  } finally {
    await first.docker.json({ method: 'DELETE', path: `/networks/${name}` }, control)
  }
})

test('images of somebody take no name that they bring, however it is written', async () => {
  const { engine, docker, rack } = first
  const control = controlFor(60_000)
  const name = `${rack}-victim:1`
  const named = (digest: string) => ({ reference: digest, digest })
  const one = { app: 'shop', images: [named(image)] }
  const saved = (change: (entry: TarEntry) => AsyncIterable<TarEntry>) => {
    const tar = pulled<Uint8Array>((out) =>
      engine.saveImages({ references: [image], named: false }, out, control),
    )
    return writeTar(
      (async function* () {
        for await (const entry of readTar(tar)) yield* change(entry)
      })(),
    )
  }
  const naming = (key: string) =>
    saved(async function* ({ header, content }) {
      if (header.name === 'repositories') return
      if (header.name !== 'manifest.json') return yield { header, content }
      const [manifest] = JSON.parse(String(await bytesUpTo(content, 2 ** 20))) as [{ RepoTags?: string[] }]
      delete manifest.RepoTags
      yield entryOf(header, 'manifest.json', JSON.stringify([{ ...manifest, [key]: [name] }]))
      const id = image.replace('sha256:', '')
      yield entryOf(header, 'repositories', JSON.stringify({ [`${rack}-victim`]: { 1: id } }))
    })
  try {
    for (const key of ['RepoTags', 'repotags']) {
      await engine.loadImages({ open: () => naming(key), of: one }, control)
      assert.equal(await findImage(docker, name, control), null, key)
      await engine.loadImages({ open: () => naming(key), of: null }, control)
      assert.equal((await findImage(docker, name, control))?.Id, image, key)
      await docker.json({ method: 'DELETE', path: `/images/${name}` }, control)
    }
    // Somebody who knows what an image is called, and has it not.
    const others = `sha256:${'d'.repeat(64)}`
    const both = { app: 'shop', images: [named(image), named(others)] }
    const lacking = saved(async function* (entry) {
      yield entry
      if (entry.header.name === 'manifest.json') yield entryOf(entry.header, `${'d'.repeat(64)}.json`, '{}')
    })
    await assert.rejects(engine.loadImages({ open: () => lacking, of: both }, control), {
      code: 'invalid',
      message: `the images cannot be used: ${others} is not among them`,
    })
    const led = saved(async function* ({ header, content }) {
      if (header.name !== 'manifest.json') return yield { header, content }
      yield entryOf(header, 'other.json', String(await bytesUpTo(content, 2 ** 20)))
      yield { header: { ...header, type: 'symlink', linkname: 'other.json', size: 0 }, content }
    })
    await assert.rejects(engine.loadImages({ open: () => led, of: one }, control), (error) => {
      assert.ok(error instanceof RackError)
      assert.deepEqual(
        [error.code, error.message],
        ['invalid', 'the images cannot be used: manifest.json is no file'],
      )
      return true
    })
  } finally {
    if (await findImage(docker, name, control))
      await docker.json({ method: 'DELETE', path: `/images/${name}` }, control)
  }
})

function entryOf(header: TarEntry['header'], name: string, text: string): TarEntry {
  const content = (async function* () {
    yield Buffer.from(text)
  })()
  return { header: { ...header, name, size: Buffer.byteLength(text), pax: null }, content }
}

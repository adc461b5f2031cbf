import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'
import { deployPlan } from '../support/deploy-plan.ts'

test('the data of a deleted app stays until a sweep is told to take it', async () => {
  const { engine, rack, docker, image, close } = await openDockerRack()
  const control = controlFor(60_000)
  const volumes = async () => {
    const query = { filters: { label: [`com.rack.name=${rack}`] } }
    const found = await docker.json<{ Volumes: unknown[] | null }>({ path: '/volumes', query }, control)
    return found.Volumes?.length ?? 0
  }
  try {
    const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const
    const keeper = processPlan({
      image: await image('busybox:1'),
      command: ['sleep', '600'],
      mounts: [mount],
      stopFirst: true,
    })
    await deployPlan(engine, planOf([keeper], { owner: appOwner('keeper'), volumes: ['data'] }), control)
    await engine.remove(appOwner('keeper'), { volumes: false }, control)
    assert.equal(
      (await engine.sweep({ owners: [], images: [], buildCache: false, volumes: false }, control)).volumes,
      0,
    )
    assert.equal(await volumes(), 1)
    assert.equal(
      (await engine.sweep({ owners: [], images: [], buildCache: false, volumes: true }, control)).volumes,
      1,
    )
    assert.equal(await volumes(), 0)
  } finally {
    await close()
  }
})

test('a volume that no app made is mounted as it is, and missed where it is not there', async () => {
  const { engine, rack, docker, image, close } = await openDockerRack()
  const control = controlFor(60_000)
  const external = `${rack}-brought`
  const deploy = async (name: string) => {
    const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const
    const type = processPlan({
      image: await image('busybox:1'),
      command: ['sh', '-c', 'touch /data/seen && exec sleep 600'],
      mounts: [{ ...mount, external: name }],
      stopFirst: true,
    })
    await deployPlan(engine, planOf([type], { owner: appOwner('shop') }), control)
  }
  await docker.json({ method: 'POST', path: '/volumes/create', body: { Name: external } }, control)
  try {
    await deploy(external)
    await assert.rejects(deploy(`${external}-not`), {
      message: new RegExp(`this machine has no volume ${external}-not, which is mounted at /data`),
      hint: new RegExp(`docker volume create ${external}-not`),
    })
    assert.deepEqual(await engine.volumes({}, control), [], 'it is none of the app')
    await engine.remove(appOwner('shop'), { volumes: true }, control)
    await docker.json({ path: `/volumes/${external}` }, control)
  } finally {
    await close()
    await docker.json({ method: 'DELETE', path: `/volumes/${external}` }, control)
  }
})

test('an image that is gone is known before anything stops, of types that need it', async () => {
  const { engine, image, close } = await openDockerRack()
  const control = controlFor(60_000)
  try {
    const there = processPlan({ image: await image('busybox:1') })
    const gone = processPlan({ type: 'db', image: `sha256:${'0'.repeat(64)}` })
    const plan = planOf([there, gone], { owner: appOwner('shop') })
    const obstacles = await engine.obstacles(plan, new Set(['web', 'db']), control)
    assert.deepEqual(
      obstacles.map(({ code, message }) => [code, message]),
      [['image-unavailable', 'the image of db that BAAAAAAAAAA has made is not on this machine any more']],
    )
    assert.deepEqual(await engine.obstacles(plan, new Set(['web']), control), [])
  } finally {
    await close()
  }
})

test('two apps never share a volume, also where Docker has one name for both', async () => {
  const { engine, image, close } = await openDockerRack()
  const control = controlFor(60_000)
  const deploy = async (app: string, volume: string) => {
    const mount = { kind: 'volume', volume, path: '/data', readOnly: false, noCopy: false } as const
    const command = ['sleep', '600']
    const type = processPlan({ image: await image('busybox:1'), command, mounts: [mount], stopFirst: true })
    await deployPlan(engine, planOf([type], { owner: appOwner(app), volumes: [volume] }), control)
  }
  try {
    await deploy('shop-api', 'data')
    await assert.rejects(deploy('shop', 'api-data'), {
      code: 'conflict',
      message: '"api-data" of shop clashes with "data" of shop-api',
      hint: /another name/,
    })
    assert.deepEqual(
      (await engine.volumes({}, control)).map(({ owner, name }) => [owner.name, name]),
      [['shop-api', 'data']],
    )
  } finally {
    await close()
  }
})

test('a volume that a container of somebody else holds stays, and the refusal names it', async () => {
  const { engine, rack, docker, image, close } = await openDockerRack()
  const control = controlFor(60_000)
  const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const
  const busybox = await image('busybox:1')
  const type = processPlan({ image: busybox, command: ['sleep', '600'], mounts: [mount], stopFirst: true })
  const name = `${rack}-looker-on`
  const body = { Image: busybox, HostConfig: { Binds: [`${rack}-shop-data:/data`] } }
  try {
    await deployPlan(engine, planOf([type], { volumes: ['data'] }), control)
    await engine.remove(appOwner('shop'), { volumes: false }, control)
    await docker.json({ method: 'POST', path: '/containers/create', query: { name }, body }, control)
    await assert.rejects(engine.removeVolume(appOwner('shop'), 'data', control), {
      code: 'conflict',
      message: `the volume "data" of shop is held by ${name}`,
    })
    await docker.json({ method: 'DELETE', path: `/containers/${name}` }, control)
    await engine.removeVolume(appOwner('shop'), 'data', control)
  } finally {
    await docker
      .json({ method: 'DELETE', path: `/containers/${name}`, query: { force: true } }, control)
      .catch((error: unknown) => assert.equal((error as { code?: string }).code, 'not-found'))
    await close()
  }
})

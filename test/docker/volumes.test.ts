import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'

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
    await engine.deploy(planOf([keeper], { app: 'keeper', volumes: ['data'] }), control)
    await engine.remove('keeper', { volumes: false }, control)
    assert.equal(
      (await engine.sweep({ apps: [], images: [], buildCache: false, volumes: false }, control)).volumes,
      0,
    )
    assert.equal(await volumes(), 1)
    assert.equal(
      (await engine.sweep({ apps: [], images: [], buildCache: false, volumes: true }, control)).volumes,
      1,
    )
    assert.equal(await volumes(), 0)
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
    await engine.deploy(planOf([type], { app, volumes: [volume] }), control)
  }
  try {
    await deploy('shop-api', 'data')
    await assert.rejects(deploy('shop', 'api-data'), {
      code: 'conflict',
      message: '"api-data" of shop clashes with "data" of shop-api',
      hint: /another name/,
    })
    assert.deepEqual(
      (await engine.volumes({}, control)).map(({ app, name }) => [app, name]),
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
    await engine.deploy(planOf([type], { volumes: ['data'] }), control)
    await engine.remove('shop', { volumes: false }, control)
    await docker.json({ method: 'POST', path: '/containers/create', query: { name }, body }, control)
    await assert.rejects(engine.removeVolume('shop', 'data', control), {
      code: 'conflict',
      message: `the volume "data" of shop is held by ${name}`,
    })
    await docker.json({ method: 'DELETE', path: `/containers/${name}` }, control)
    await engine.removeVolume('shop', 'data', control)
  } finally {
    await docker
      .json({ method: 'DELETE', path: `/containers/${name}`, query: { force: true } }, control)
      .catch((error: unknown) => assert.equal((error as { code?: string }).code, 'not-found'))
    await close()
  }
})

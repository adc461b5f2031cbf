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

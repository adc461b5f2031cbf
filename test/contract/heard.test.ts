import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack } from '../support/memory-rack.ts'

const shop = (web: string) => `services:\n  web: { image: shop, ports: ["80:3000"], ${web} }\n`
const said = (lines: unknown[]) => JSON.stringify(lines)

test('what a file says anew of copies and memory is told by the promote, and taken by a scale from the file', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, progress } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('deploy: { replicas: 2 }'))
  await operations.scaleProcesses('shop', { web: { count: 1 } }, control)
  progress.length = 0
  await rack.deploy('shop', shop('deploy: { replicas: 2 }, environment: { A: one }'))
  assert.doesNotMatch(said(progress), /rack scale owns/, 'the file says what it said before')
  await rack.deploy('shop', shop('deploy: { replicas: 3 }, mem_limit: 512m'))
  assert.match(
    said(progress),
    /web: the file says 3 copies where it has 1 copy and 512 MiB where it has 256 MiB, which rack scale owns .*rack scale web --from-file/,
  )
  const { unheard } = await operations.diffReleases('shop', {})
  assert.match(unheard[0]?.text ?? '', /^web: the file says 3 copies where it has 1 copy/)
  assert.equal((await operations.getFormation('shop')).web?.count, 1)
  await operations.scaleProcesses('shop', { web: { fromFile: true } }, control)
  assert.deepEqual((await operations.getFormation('shop')).web, {
    count: 3,
    cpuUnits: 128,
    memoryBytes: 512 * 2 ** 20,
  })
  await operations.scaleProcesses('shop', { web: { fromFile: true, count: 2 } }, control)
  assert.equal((await operations.getFormation('shop')).web?.count, 2)
})

test('a variable that the build reads is told as one that has an effect with the next build', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const set = (values: Record<string, string>) =>
    operations.changeEnvironment('shop', { set: values, unset: [], replace: false })
  await set({ API_URL: 'one' })
  const live = await rack.deploy(
    'shop',
    `services:
  web: { build: { context: ., args: [API_URL] }, ports: ["80:3000"], environment: { COLOUR: "\${COLOUR:-blue}" } }
  cache: { image: "redis:\${REDIS_TAG:-7}" }
`,
    { Dockerfile: 'FROM scratch\n' },
  )
  const { id } = await set({ API_URL: 'two', REDIS_TAG: '8', COLOUR: 'red', OTHER: 'x' })
  assert.deepEqual((await operations.diffEnvironment('shop', live, id)).atBuild, ['API_URL', 'REDIS_TAG'])
  assert.deepEqual((await operations.diffReleases('shop', { from: live, to: id })).environment.atBuild, [
    'API_URL',
    'REDIS_TAG',
  ])
  const { id: less } = await set({ OTHER: 'y' })
  assert.deepEqual((await operations.diffEnvironment('shop', id, less)).atBuild, [])
  assert.equal((await operations.getApp('shop', control)).release, live)
})

test('an environment that is set to what it is makes no release', async () => {
  await using rack = await startMemoryRack()
  const { operations } = rack
  await operations.createApp('shop')
  const change = { set: { KEY: 'v', 'discovery.type': 'single-node', 'a-b': '1' }, unset: [], replace: false }
  const { id } = await operations.changeEnvironment('shop', change)
  assert.equal((await operations.changeEnvironment('shop', change)).id, id)
  const { id: again } = await operations.changeEnvironment('shop', {
    set: {},
    unset: ['none'],
    replace: false,
  })
  assert.equal(again, id)
  const other = await operations.changeEnvironment('shop', { set: {}, unset: ['KEY'], replace: false })
  assert.notEqual(other.id, id)
  assert.equal((await operations.listReleases('shop', 10)).length, 2)
})

test('a variable that the rack sets is told as one that no process sees', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, progress } = rack
  await operations.createApp('shop')
  const live = await rack.deploy('shop', shop(''))
  const set = { PORT: '8000', APP: 'mine', OTHER: 'x' }
  const { id } = await operations.changeEnvironment('shop', { set, unset: [], replace: false })
  assert.deepEqual((await operations.diffEnvironment('shop', live, id)).unseen, [
    { name: 'APP', processes: ['web'] },
    { name: 'PORT', processes: ['web'] },
  ])
  const { build } = await operations.getRelease('shop', live)
  progress.length = 0
  await operations.rebuildApp('shop', build!, { description: null, noCache: false }, control)
  assert.match(said(progress), /PORT is set by the rack for web; the value of the app is never seen there/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileMount, planOf, processPlan } from '../../test/support/plans.ts'
import { plainContainer, type ContainerOptions } from './container.ts'
import { changedTypes, copyIdentity, copyRules } from './copy-identity.ts'
import type { ProcessPlan } from './plan.ts'

const web = processPlan({ type: 'web' })
const key = fileMount('/run/secrets/key', 'one')

const container = (overrides: Partial<ContainerOptions>): Partial<ProcessPlan> => ({
  container: { ...plainContainer, ...overrides },
})

test('a label, a file, its mode, a mount and an option each make another copy', () => {
  const variants: Partial<ProcessPlan>[] = [
    {},
    { labels: { tier: 'front' } },
    { extras: { gpu: 1 } },
    { files: [key] },
    { files: [fileMount(key.path, 'two')] },
    { files: [{ ...key, mode: 0o400 }] },
    { mounts: [{ kind: 'bind', source: '/srv', path: '/srv', readOnly: true }] },
    { mounts: [{ kind: 'bind', source: '/srv', path: '/srv', readOnly: false }] },
    container({ tty: true }),
    container({ sysctls: { 'net.core.somaxconn': '1024' } }),
    container({ ulimits: [{ name: 'nofile', soft: 1, hard: 2 }] }),
    container({ dns: { servers: ['10.0.0.1', '10.0.0.2'], search: [], options: [] } }),
    container({ dns: { servers: ['10.0.0.2', '10.0.0.1'], search: [], options: [] } }),
  ]
  const identities = variants.map((overrides) => copyIdentity({ ...web, ...overrides }))
  assert.equal(new Set(identities).size, variants.length)
})

test('an order that means nothing changes nothing', () => {
  const [nofile, nproc] = [
    { name: 'nofile', soft: 1, hard: 2 },
    { name: 'nproc', soft: 1, hard: 2 },
  ]
  const config = fileMount('/etc/app.conf', 'two')
  const first: Partial<ProcessPlan> = {
    labels: { a: '1', b: '2' },
    files: [key, config],
    ...container({
      sysctls: { a: '1', b: '2' },
      ulimits: [nofile, nproc],
      capAdd: ['SYS_TIME', 'NET_ADMIN'],
      groups: ['b', 'a'],
    }),
  }
  const { content, ...rest } = key
  const second: Partial<ProcessPlan> = {
    labels: { b: '2', a: '1' },
    files: [config, { content, ...rest }],
    ...container({
      groups: ['a', 'b'],
      capAdd: ['NET_ADMIN', 'SYS_TIME'],
      ulimits: [nproc, nofile],
      sysctls: { b: '2', a: '1' },
    }),
  }
  assert.equal(copyIdentity({ ...web, ...first }), copyIdentity({ ...web, ...second }))
})

test('what a file does not say adds nothing: a Rack that learns of options replaces no copy', () => {
  assert.doesNotMatch(copyIdentity(web), /labels|files|container|extras/)
})

test('an image is its digest, wherever it lies, and the text is that of every version before', () => {
  const text =
    '{"image":"sha256:1111","command":null,"entrypoint":null,"environment":[],"user":null,"workingDir":null,"init":false,' +
    '"cpuUnits":128,"memoryBytes":67108864,"mounts":[],"healthcheck":null,"restart":"always","extraHosts":[],"stopSignal":null}'
  assert.equal(copyIdentity(web), text)
  assert.equal(copyIdentity({ ...web, image: 'registry.example/shop@1' }), text)
  assert.notEqual(copyIdentity({ ...web, imageDigest: 'sha256:2222' }), text)
})

const tied = (type: string, ...restartsWith: string[]) => processPlan({ type, restartsWith })

test('a type that restarts with another is replaced with it, over several steps too', () => {
  const processes = [tied('web', 'api'), tied('api', 'db'), tied('db'), tied('worker')]
  const live = planOf(processes)
  assert.deepEqual([...changedTypes(live, live)], [])
  const changed = (type: string, overrides: Partial<ProcessPlan>) =>
    planOf(
      processes.map((processPlan) =>
        processPlan.type === type ? { ...processPlan, ...overrides } : processPlan,
      ),
    )
  const command = ['other']
  assert.deepEqual([...changedTypes(changed('db', { command }), live)], ['web', 'api', 'db'])
  assert.deepEqual([...changedTypes(changed('api', { command }), live)], ['web', 'api'])
  assert.deepEqual([...changedTypes(changed('web', { command }), live)], ['web'])
  assert.deepEqual([...changedTypes(changed('db', { count: 3 }), live)], [])
  const replaceBefore = '2026-11-20T10:00:00.000Z'
  assert.deepEqual([...changedTypes(changed('db', { replaceBefore }), live)], ['web', 'api', 'db'])
})

test('the latest of several restarts holds', () => {
  const [early, late] = ['2026-11-20T09:00:00.000Z', '2026-11-20T10:00:00.000Z']
  const processes = [
    { ...tied('web', 'db'), replaceBefore: early },
    { ...tied('db'), replaceBefore: late },
  ]
  const rules = copyRules(planOf(processes))
  assert.deepEqual([rules.get('web')?.replaceBefore, rules.get('db')?.replaceBefore], [late, late])
})

test('a circle is replaced as one, and a type that is not in the plan is passed over', () => {
  const processes = [tied('a', 'b'), tied('b', 'a'), tied('c', 'c', 'missing')]
  const changed = planOf(processes.map((each) => (each.type === 'b' ? { ...each, command: ['x'] } : each)))
  assert.deepEqual([...changedTypes(changed, planOf(processes))], ['a', 'b'])
})

test('the networks of a type that is kept apart count, what it is called there does not', () => {
  const isolation = (name: string, isEnclosed = false, aliases: string[] = []) =>
    copyIdentity(processPlan({ isolation: { networks: [{ name, aliases }], isEnclosed } }))
  const all = [copyIdentity(processPlan()), isolation('front'), isolation('back'), isolation('back', true)]
  assert.equal(new Set(all).size, all.length)
  assert.equal(isolation('front', false, ['www']), isolation('front'))
  assert.ok(!copyIdentity(processPlan()).includes('networks'), 'an app that is not parted keeps its copies')
})

test('an external port replaces copies where the engine changes none in place', () => {
  const port = {
    external: 80,
    container: 8080,
    protocol: 'http' as const,
    proxy: false as const,
    secure: false,
  }
  const live = planOf([processPlan(), processPlan({ type: 'worker' })])
  const opened = planOf([processPlan({ ports: [port] }), processPlan({ type: 'worker' })])
  assert.deepEqual([...changedTypes(opened, live)], [])
  assert.deepEqual([...changedTypes(opened, live, { changesPortsInPlace: false })], ['web'])
  assert.deepEqual([...changedTypes(opened, opened, { changesPortsInPlace: false })], [])
})

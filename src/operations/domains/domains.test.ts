import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { startMemoryRack, tester } from '../../../test/support/memory-rack.ts'

const web =
  'services: { web: { image: shop, ports: ["80:3000"] }, api: { image: shop, ports: ["80:4000"] }, job: { image: shop } }\n'

test('a domain is one app’s in the whole rack, and whoever wants it too is told whose it is', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  for (const app of ['shop', 'blog']) await operations.createApp(app)
  const added = await operations.addDomain('shop', { name: 'Shop.Example.com.', process: null }, control)
  assert.deepEqual([added.name, added.app], ['shop.example.com', 'shop'])
  const again = await operations.addDomain('shop', { name: 'shop.example.com', process: null }, control)
  assert.deepEqual(again, added, 'a repeat changes nothing')
  await assert.rejects(operations.addDomain('blog', { name: 'SHOP.example.com', process: null }, control), {
    code: 'conflict',
    message: 'the domain shop.example.com is held by shop',
    hint: /rack domains remove shop\.example\.com --app shop/,
  })
  await operations.addDomain('blog', { name: '*.example.com', process: null }, control)
  assert.deepEqual(
    (await operations.listDomains({})).map(({ name }) => name),
    ['*.example.com', 'shop.example.com'],
  )
  assert.deepEqual(
    (await operations.listDomains({ app: 'shop' })).map(({ name }) => name),
    ['shop.example.com'],
  )
  await operations.removeDomain('shop', 'shop.example.com', control)
  await assert.rejects(operations.removeDomain('shop', 'shop.example.com', control), { code: 'not-found' })
})

test('names that apps have by themselves are theirs, whoever was first', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  for (const name of ['shop.localhost', 'web.shop.localhost', '*.shop.localhost'])
    await assert.rejects(
      operations.addDomain('shop', { name, process: null }, control),
      { code: 'conflict' },
      name,
    )
  await operations.addDomain('shop', { name: 'www.later.localhost', process: null }, control)
  await assert.rejects(operations.createApp('later'), {
    code: 'conflict',
    message: 'the domain www.later.localhost is held by shop',
  })
  await operations.createApp('other')
})

test('a domain leads to a process that serves http, if the app is live', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', web)
  for (const process of [null, 'web', 'api']) {
    const name = `${process ?? 'main'}.example.com`
    assert.equal((await operations.addDomain('shop', { name, process }, control)).process, process)
  }
  const wrong = operations.addDomain('shop', { name: 'x.example.com', process: 'job' }, control)
  await assert.rejects(wrong, { code: 'not-found', message: /no HTTP process job: it has web, api|api, web/ })
  await rack.deploy('shop', web)
  assert.equal((await operations.listDomains({ app: 'shop' })).length, 3, 'a release leaves them')
  await operations.deleteApp('shop', { volumes: false }, control)
  assert.deepEqual(await operations.listDomains({}), [], 'they go with the app')
})

test('the domains of other apps are not seen by who may not', async () => {
  await using rack = await startMemoryRack()
  const { room, operations, control } = rack
  for (const app of ['shop', 'blog']) await operations.createApp(app)
  await operations.addDomain('shop', { name: 'shop.example.com', process: null }, control)
  const scoped = room.operations.as({ ...tester, apps: ['blog'] })
  assert.deepEqual(await scoped.listDomains({}), [])
  await assert.rejects(scoped.removeDomain('shop', 'shop.example.com', control), { code: 'forbidden' })
})

test('a domain says what has become of its certificate, where an account has one for it', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, host } = rack
  const record = { name: '_a.www.example.com', type: 'CNAME' as const, value: '_b.acm-validations.aws.' }
  host.nameStates = () => [{ name: 'www.example.com', state: 'waiting', record, reason: 'it is looked for' }]
  await operations.createApp('shop')
  const added = await operations.addDomain('shop', { name: 'www.example.com', process: null }, control)
  assert.deepEqual(added.certificate, { state: 'waiting', record, reason: 'it is looked for' })
  host.balancerOf = (app) => `${app}.elb.test`
  await operations.addDomain('shop', { name: 'b.example.com', process: null }, control)
  const all = await operations.listDomains({})
  assert.deepEqual(
    all.map(({ name, certificate, balancer }) => [name, certificate?.state, balancer]),
    [
      ['b.example.com', undefined, 'shop.elb.test'],
      ['www.example.com', 'waiting', 'shop.elb.test'],
    ],
  )
})

test('a name that the engine cannot lead by beside the others is refused before it is kept', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  engine.nameObstacles = (_plan, domains) =>
    domains.length > 1
      ? [new RackError('invalid', `too many: ${domains.map(({ name }) => name).join()}`)]
      : []
  const add = async (name: string) => await operations.addDomain('shop', { name, process: null }, control)
  await rack.deploy('shop', web)
  await add('a.example.com')
  await assert.rejects(add('b.example.com'), { code: 'invalid', message: /too many: a\..*,b\./ })
  assert.deepEqual(
    (await operations.listDomains({})).map(({ name }) => name),
    ['a.example.com'],
  )
})

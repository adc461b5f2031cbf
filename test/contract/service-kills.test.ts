import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operations } from '../../src/operations/operations.ts'
import { until } from '../../src/lib/poll.ts'
import { dieAfter } from '../support/dying-parts.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'

const compose = 'services:\n  web: { image: shop, command: serve }\n'
const drop = { volumes: true }

/** A verb of a daemon that dies in the middle of it, what comes before it, and how the next round finds all as it was. */
interface Case {
  before?: (rack: MemoryRack) => Promise<unknown>
  verb: (operations: Operations, rack: MemoryRack) => Promise<unknown>
  after: (operations: Operations, rack: MemoryRack) => Promise<unknown>
}

const link = (operations: Operations, { control }: MemoryRack) =>
  operations.createLink('shop', { service: 'main', alias: 'db' }, control)

const unlink = async (operations: Operations, { store }: MemoryRack) => {
  const links = (await store.releases.newest('shop'))?.links ?? []
  if (links.length > 0) await operations.deleteLink('shop', 'db')
}

const second = { name: 'second', type: 'postgres' }
const dropSecond = async (operations: Operations, { store, control }: MemoryRack) => {
  if (await store.services.get('second')) await operations.deleteService('second', drop, control)
}

const cases: Record<string, Case> = {
  'create of a service': {
    verb: (operations, { control }) => operations.createService(second, control),
    after: dropSecond,
  },
  'delete of a service': {
    before: ({ operations, control }) => operations.createService(second, control),
    verb: (operations, { control }) => operations.deleteService('second', drop, control),
    after: dropSecond,
  },
  'create of a service of the account': {
    verb: (operations, { control }) => operations.createService({ ...second, managed: true }, control),
    after: dropSecond,
  },
  'delete of a service of the account': {
    before: ({ operations, control }) => operations.createService({ ...second, managed: true }, control),
    verb: (operations, { control }) => operations.deleteService('second', drop, control),
    after: dropSecond,
  },
  'create of a link': { verb: link, after: unlink },
  'rotation of a link': {
    before: (rack) => link(rack.operations, rack),
    verb: (operations, { control }) => operations.rotateLink('shop', 'db', control),
    after: unlink,
  },
  'delete of a link': {
    before: (rack) => link(rack.operations, rack),
    verb: (operations) => operations.deleteLink('shop', 'db'),
    after: unlink,
  },
  'revocation of a login': {
    before: async (rack) => {
      await link(rack.operations, rack)
      await rack.operations.deleteLink('shop', 'db')
    },
    verb: (operations, { control }) => operations.revokeLogins('shop', 'db', control),
    after: async () => undefined,
  },
}

/** Nothing is half there: no service, no data, no login that nothing knows of, and each link's login is one. */
async function checkWhole(rack: MemoryRack, where: string): Promise<Operations> {
  const { store, engine, control } = rack
  const room = await rack.restart()
  assert.ok(await room.recover(control), where)
  const areSettled = async () => (await store.services.list()).every(({ status }) => status === 'running')
  await until(areSettled, { deadlineMs: 20_000, intervalMs: 5, what: `all services to be settled ${where}` })
  const services = await store.services.list()
  for (const { name, status } of services) assert.equal(status, 'running', `${name} ${where}`)
  const names = services.map(({ name }) => name)
  const owners = (owned: { owner: { kind: string; name: string } }[]) =>
    [...new Set(owned.filter(({ owner }) => owner.kind === 'service').map(({ owner }) => owner.name))].sort()
  assert.deepEqual(owners(await engine.processes({ all: true }, control)), names, `copies ${where}`)
  const data = [...owners(await engine.volumes({}, control)), ...engine.world.managed.keys()]
  assert.deepEqual(data.sort(), names, `data ${where}`)

  const versions = await store.services.versions('main')
  const known = new Map(versions.map((version) => [version.login?.username, version]))
  const logins = engine.world.servers.get('_main')?.logins ?? new Map<string, string>()
  for (const name of logins.keys()) assert.ok(known.has(name), `nobody knows the login ${name} ${where}`)
  for (const { version } of (await store.releases.newest('shop'))?.links ?? []) {
    const { login, address } = versions.find((each) => each.version === version) ?? assert.fail(where)
    assert.equal(logins.get(login!.username), address.password, `the link's login ${where}`)
  }
  return room.operations.as(tester)
}

for (const [name, { before, verb, after }] of Object.entries(cases)) {
  test(`a kill before and after any step of a ${name} leaves what was or what is wanted`, async () => {
    await using rack = await startMemoryRack()
    rack.engine.features = { ...rack.engine.features, managedServices: ['postgres'] }
    await rack.operations.createApp('shop')
    await rack.build('shop', compose)
    await rack.operations.createService({ name: 'main', type: 'postgres' }, rack.control)
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 200, 'no end')
      await before?.(rack)
      const parts = dieAfter(rack, steps)
      const dying = (await rack.restart(parts)).operations.as(tester)
      const isAcknowledged = await verb(dying, rack).then(
        () => true,
        () => false,
      )
      const where = `after ${steps} steps, ${parts.calls.at(-1)}`
      const operations = await checkWhole(rack, where)
      await after(operations, rack)
      if (parts.calls.length < steps) {
        assert.ok(isAcknowledged, `a ${name} that nobody killed failed`)
        break
      }
    }
    // Whatever was left on the way is found, and ended.
    const operations = await checkWhole(rack, 'in the end')
    await operations.revokeLogins('shop', 'db', rack.control)
    assert.deepEqual([...rack.engine.world.servers.get('_main')!.logins.keys()], [])
    const versions = await rack.store.services.versions('main')
    assert.deepEqual(
      versions.filter(({ login }) => login !== null),
      [],
    )
  })
}

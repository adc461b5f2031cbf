import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { until } from '../../../src/lib/poll.ts'
import { createFakeAccount } from '../account.ts'
import { createNames } from './create-names.ts'

const soon = { deadlineMs: 5000, intervalMs: 10 }

async function createWorld({ factor = 200 } = {}) {
  const account = await createFakeAccount({ factor })
  const names = createNames({ account, zone: 'r.internal', membersZone: 'members.r.internal' })
  const server = await names.serve('127.0.0.1', 0)
  const resolver = new Resolver({ timeout: 1000, tries: 1 })
  resolver.setServers([`127.0.0.1:${server.port}`])
  const actions = { ...names.services[0].actions, ...names.services[1].actions }
  // oxlint-disable-next-line no-explicit-any -- answers are looked into by each test
  const act = async (action: string, input: object): Promise<any> =>
    await actions[action]!(input, { service: '', action, accessKeyId: 'A', requestId: '1' })
  return {
    account,
    names,
    resolver,
    port: server.port,
    act,
    change: async (...changes: [action: string, name: string, value: string][]) => {
      const { ChangeInfo } = await act('ChangeResourceRecordSets', {
        HostedZoneId: names.zoneId,
        ChangeBatch: {
          Changes: changes.map(([Action, Name, Value]) => ({
            Action,
            ResourceRecordSet: cname(Name, Value),
          })),
        },
      })
      return ChangeInfo.Id as string
    },
    createService: async (Name: string, CreatorRequestId = Name) => {
      const { Service } = await act('CreateService', {
        Name,
        NamespaceId: names.namespaceId,
        CreatorRequestId,
        DnsConfig: { RoutingPolicy: 'MULTIVALUE', DnsRecords: [{ Type: 'A', TTL: 5 }] },
        HealthCheckCustomConfig: { FailureThreshold: 1 },
      })
      return Service as { Id: string; Arn: string }
    },
    async [Symbol.asyncDispose]() {
      for (const service of names.services) await service.close?.()
      account.clock.close()
      assert.deepEqual(account.troubles, [])
    },
  }
}

const cname = (Name: string, Value: string) => ({ Name, Type: 'CNAME', TTL: 5, ResourceRecords: [{ Value }] })

test('a name leads over both zones to the addresses of instances', async () => {
  await using world = await createWorld()
  const { Arn } = await world.createService('gone')
  world.names.instances.register(Arn, { id: 't1', address: '10.0.0.1' })
  const id = await world.change(['UPSERT', 'web.a.r.internal', 'gone.members.r.internal'])
  assert.equal((await world.act('GetChange', { Id: id })).ChangeInfo.Status, 'PENDING')
  await until(async () => (await world.act('GetChange', { Id: id })).ChangeInfo.Status === 'INSYNC', {
    ...soon,
    what: 'INSYNC',
  })
  assert.deepEqual(await world.resolver.resolveCname('WEB.a.r.internal'), ['gone.members.r.internal'])
  const found = async () => await world.resolver.resolve4('web.a.r.internal', { ttl: true }).catch(() => null)
  assert.deepEqual(await until(found, { ...soon, what: 'an address' }), [{ address: '10.0.0.1', ttl: 5 }])
  assert.deepEqual(await world.resolver.resolve6('web.a.r.internal'), [])
  await assert.rejects(world.resolver.resolve6('gone.members.r.internal'), { code: 'ENODATA' })
  await assert.rejects(world.resolver.resolve4('a.r.internal'), { code: 'ENODATA' })
  await assert.rejects(world.resolver.resolve4('other.a.r.internal'), { code: 'ENOTFOUND' })
  await assert.rejects(world.resolver.resolve4('web.'), { code: 'ENOTFOUND' })
  await assert.rejects(world.resolver.resolve4('example.com'), { code: 'EREFUSED' })
})

test('an answer holds eight addresses of many, and others the next time', async () => {
  await using world = await createWorld()
  const { Arn } = await world.createService('many')
  const all = Array.from({ length: 12 }, (_, at) => `10.0.0.${at + 1}`)
  for (const address of all) world.names.instances.register(Arn, { id: address, address })
  const seen = new Set<string>()
  await until(
    async () => {
      const some = await world.resolver.resolve4('many.members.r.internal').catch(() => [])
      assert.ok(some.length <= 8)
      for (const address of some) seen.add(address)
      return seen.size === 12
    },
    { ...soon, what: 'all addresses' },
  )
})

test('a batch is carried out whole or not at all, and says every reason', async () => {
  await using world = await createWorld()
  await world.change(['CREATE', 'web.a.r.internal', 'g1.members.r.internal'])
  const bad = world.change(
    ['UPSERT', 'api.a.r.internal', 'g2.members.r.internal'],
    ['CREATE', 'web.a.r.internal', 'g2.members.r.internal'],
    ['DELETE', 'db.a.r.internal', 'g2.members.r.internal'],
    ['DELETE', 'web.a.r.internal', 'g2.members.r.internal'],
    ['UPSERT', 'web.elsewhere.test', 'g2.members.r.internal'],
  )
  await assert.rejects(bad, (error: Error & { details: { messages: string[] } }) => {
    assert.equal(error.name, 'InvalidChangeBatch')
    const reasons = [/already exists/, /not found/, /do not match/, /not permitted in zone/]
    assert.equal(error.details.messages.length, reasons.length)
    for (const [at, reason] of reasons.entries()) assert.match(error.details.messages[at]!, reason)
    return true
  })
  const { ResourceRecordSets } = await world.act('ListResourceRecordSets', {
    HostedZoneId: world.names.zoneId,
  })
  assert.deepEqual(
    ResourceRecordSets.map(({ Name, Type }: { Name: string; Type: string }) => `${Name} ${Type}`),
    ['r.internal. NS', 'r.internal. SOA', 'web.a.r.internal. CNAME'],
  )
  await world.change(
    ['DELETE', 'web.a.r.internal', 'g1.members.r.internal'],
    ['CREATE', 'web.a.r.internal', 'g2.members.r.internal'],
  )
})

test('names of a batch flip together, and one change never overtakes another', async () => {
  await using world = await createWorld({ factor: 100 })
  const names = ['web.a.r.internal', 'api.a.r.internal']
  let last = ''
  for (const generation of ['g1', 'g2', 'g3']) {
    last = await world.change(
      ...names.map((name): [string, string, string] => ['UPSERT', name, `${generation}.members.r.internal`]),
    )
  }
  const seen: string[] = []
  const value = async (name: string) => (await world.resolver.resolveCname(name).catch(() => ['none']))[0]!
  await until(
    async () => {
      seen.push(await value(names[0]!))
      return (await world.act('GetChange', { Id: last })).ChangeInfo.Status === 'INSYNC'
    },
    { ...soon, what: 'INSYNC' },
  )
  const order = ['none', ...['g1', 'g2', 'g3'].map((name) => `${name}.members.r.internal`)]
  const places = seen.map((name) => order.indexOf(name))
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
  assert.deepEqual(await Promise.all(names.map(value)), [order[3], order[3]])
})

test('record sets are told page by page from a name on', async () => {
  await using world = await createWorld()
  const own = (app: string) =>
    Array.from({ length: 12 }, (_, at): [string, string, string] => [
      'CREATE',
      `t${at}.${app}.r.internal`,
      'g.members.r.internal',
    ])
  await world.change(...own('a'), ...own('b'), ...own('a-b'), ...own('a0'))
  const told: string[] = []
  let next: { StartRecordName?: string; StartRecordType?: string } = { StartRecordName: 'a.r.internal' }
  for (;;) {
    const page = await world.act('ListResourceRecordSets', { HostedZoneId: world.names.zoneId, ...next })
    assert.ok(page.ResourceRecordSets.length <= 10)
    told.push(...page.ResourceRecordSets.map(({ Name }: { Name: string }) => Name))
    if (!page.IsTruncated) break
    next = { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType }
  }
  // With the dot at its end `a.` comes behind `a-b.`, and what is below it is together.
  assert.equal(told.length, 36)
  assert.ok(told.slice(0, 12).every((name) => name.endsWith('.a.r.internal.')))
})

test('a service of Cloud Map is made once, and stays while instances are there', async () => {
  await using world = await createWorld()
  const service = await world.createService('g1')
  assert.deepEqual(await world.createService('g1'), { ...service })
  await assert.rejects(world.createService('g1', 'other'), { name: 'ServiceAlreadyExists' })
  assert.throws(() => world.names.instances.assertThere(`${service.Arn}x`), /does not exist/)
  world.names.instances.register(service.Arn, { id: 't1', address: '10.0.0.1' })
  await assert.rejects(world.act('DeleteService', { Id: service.Id }), { name: 'ResourceInUse' })
  world.names.instances.deregister(service.Arn, 't1')
  await until(
    async () =>
      await world.act('DeleteService', { Id: service.Id }).then(
        () => true,
        ({ name }: Error) => assert.equal(name, 'ResourceInUse'),
      ),
    { ...soon, what: 'the instance to go' },
  )
  await assert.rejects(world.resolver.resolve4('g1.members.r.internal'), { code: 'ENOTFOUND' })
})

test('services of a namespace are listed late and page by page', async () => {
  await using world = await createWorld()
  const Filters = [{ Name: 'NAMESPACE_ID', Values: [world.names.namespaceId], Condition: 'EQ' }]
  for (let at = 0; at < 12; at++) await world.createService(`g${at}`)
  const listed = async () => {
    const names: string[] = []
    let NextToken: string | undefined
    do {
      const page = await world.act('ListServices', { Filters, ...(NextToken && { NextToken }) })
      names.push(...page.Services.map(({ Name }: { Name: string }) => Name))
      NextToken = page.NextToken
    } while (NextToken)
    return names.length === 12
  }
  await until(listed, { ...soon, what: 'all services' })
})

test('a query by TCP is answered, and one that is none is passed over', async () => {
  await using world = await createWorld()
  const query = Buffer.concat([
    Buffer.from('1234010000010000000000000172', 'hex'),
    Buffer.from('08696e7465726e616c0000060001', 'hex'),
  ])
  const socket = connect(world.port, '127.0.0.1')
  socket.write(Buffer.concat([Buffer.from([0, query.length]), query]))
  const [reply] = (await once(socket, 'data')) as [Buffer]
  assert.equal(reply.readUInt16BE(0), reply.length - 2)
  assert.equal(reply.readUInt16BE(2), 0x1234)
  assert.equal(reply.readUInt16BE(8), 1)
  socket.destroy()
  const datagram = createSocket('udp4')
  datagram.send(Buffer.from('nonsense'), world.port, '127.0.0.1')
  datagram.send(query, world.port, '127.0.0.1')
  const [answer] = (await once(datagram, 'message')) as [Buffer]
  assert.equal(answer.readUInt16BE(0), 0x1234)
  datagram.close()
  // SOA r.internal: the first server, the person, five numbers.
  const authority = await world.resolver.resolveSoa('r.internal')
  assert.equal(authority.nsname, 'ns-0.awsdns-00.com')
  assert.equal(authority.hostmaster, 'awsdns-hostmaster.amazon.com')
  // D: as Route 53 makes one.
  assert.equal(authority.minttl, 86_400)
})

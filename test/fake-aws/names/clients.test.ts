import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Route53 } from '@aws-sdk/client-route-53'
import { ServiceDiscovery } from '@aws-sdk/client-servicediscovery'
import { until } from '../../../src/lib/poll.ts'
import { createFakeAccount } from '../account.ts'
import { clientConfig } from '../client-config.ts'
import { startServer } from '../server.ts'
import { createNames } from './create-names.ts'

test('the SDK’s own clients make names, and hear when they are known', async () => {
  const account = await createFakeAccount({ factor: 200 })
  const names = createNames({ account, zone: 'r.internal', membersZone: 'members.r.internal' })
  const server = await startServer({ ...account, services: names.services })
  const zones = new Route53(clientConfig(server))
  const discovery = new ServiceDiscovery(clientConfig(server))
  try {
    const { Service } = await discovery.createService({
      Name: 'gabc',
      NamespaceId: names.namespaceId,
      CreatorRequestId: 'gabc',
      DnsConfig: { RoutingPolicy: 'MULTIVALUE', DnsRecords: [{ Type: 'A', TTL: 5 }] },
      HealthCheckCustomConfig: { FailureThreshold: 1 },
    })
    names.instances.register(Service!.Arn!, { id: 't', address: '10.0.0.1' })
    assert.equal((await discovery.getService({ Id: Service!.Id })).Service?.InstanceCount, 1)
    await assert.rejects(discovery.deleteService({ Id: Service!.Id }), { name: 'ResourceInUse' })
    const change = (Action: 'CREATE' | 'UPSERT' | 'DELETE') =>
      zones.changeResourceRecordSets({
        HostedZoneId: names.zoneId,
        ChangeBatch: {
          Changes: [
            {
              Action,
              ResourceRecordSet: {
                Name: 'web.a.r.internal',
                Type: 'CNAME',
                TTL: 5,
                ResourceRecords: [{ Value: 'gabc.members.r.internal' }],
              },
            },
          ],
        },
      })
    const { ChangeInfo } = await change('UPSERT')
    const isKnown = async () =>
      (await zones.getChange({ Id: ChangeInfo!.Id })).ChangeInfo?.Status === 'INSYNC'
    await until(isKnown, { deadlineMs: 5000, what: 'INSYNC' })
    const { ResourceRecordSets = [] } = await zones.listResourceRecordSets({
      HostedZoneId: names.zoneId,
      StartRecordName: 'a.r.internal',
    })
    assert.deepEqual(
      ResourceRecordSets.map(({ Name, TTL }) => [Name, TTL]),
      [['web.a.r.internal.', 5]],
    )
    await assert.rejects(change('CREATE'), (error: Error) => {
      assert.equal(error.name, 'InvalidChangeBatch')
      assert.match(error.message, /already exists/)
      return true
    })
    await change('DELETE')
    await assert.rejects(zones.getChange({ Id: 'C9' }), { name: 'NoSuchChange' })
    names.instances.deregister(Service!.Arn!, 't')
    const isGone = async () =>
      await discovery.deleteService({ Id: Service!.Id }).then(
        () => true,
        () => false,
      )
    await until(isGone, { deadlineMs: 5000, what: 'the instance to go' })
    assert.deepEqual((await discovery.listServices({})).Services, [])
    assert.deepEqual(account.troubles, [])
  } finally {
    zones.destroy()
    discovery.destroy()
    await server.close()
    account.clock.close()
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '@aws-sdk/client-route-53'
import { webBalancerPrefix } from '../../../aws/web-balancer.ts'
import { appOwner } from '../../../domain/owner.ts'
import type { AwsParts } from '../parts.ts'
import { leadNames } from './bring-homes.ts'

test('an app that goes takes its records along, also where its load balancer is there no more', async () => {
  const gone = `${webBalancerPrefix('r1')}2-1.elb.test`
  const ResourceRecordSets = [
    ['\\052.shop.rack.test.', gone],
    ['blog.rack.test.', gone],
    ['shop.rack.test.', gone],
  ].map(([Name, Value]) => ({ Name, Type: 'CNAME', TTL: 60, ResourceRecords: [{ Value }] }))
  const changed: string[] = []
  const zones = {
    listHostedZones: async () => ({ HostedZones: [{ Id: 'Z', Name: 'rack.test.' }] }),
    listResourceRecordSets: async () => ({ ResourceRecordSets }),
    changeResourceRecordSets: async ({ ChangeBatch }: { ChangeBatch: { Changes: Change[] } }) => {
      changed.push(...ChangeBatch.Changes.map((each) => `${each.Action} ${each.ResourceRecordSet!.Name}`))
      return { ChangeInfo: { Id: 'C' } }
    },
    getChange: async () => ({ ChangeInfo: { Status: 'INSYNC' } }),
  }
  const balancer = { arn: 'arn:1', host: 'first.elb.test', listeners: { http: 'arn:http', https: null } }
  const parts = {
    rack: 'r1',
    domain: 'rack.test',
    domains: { current: () => [] },
    clients: { zones },
    places: { balancer },
    web: { further: [], hosts: new Map() },
    intervals: { names: 1 },
  } as unknown as AwsParts
  const { signal } = new AbortController()
  const owner = appOwner('shop')
  await leadNames(parts, { owner, balancer: { ...balancer, number: 1 } }, { signal })
  assert.deepEqual(changed, [], 'most racks have one balancer, and no deploy asks for records there')
  await leadNames(parts, { owner, balancer: null }, { signal })
  assert.deepEqual(changed, ['DELETE \\052.shop.rack.test.', 'DELETE shop.rack.test.'])
})

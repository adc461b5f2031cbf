import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '@aws-sdk/client-route-53'
import { webBalancerPrefix } from '../../../aws/web-balancer.ts'
import { appOwner } from '../../../domain/owner.ts'
import type { AwsParts } from '../parts.ts'
import { bringHomes, leadNames } from './bring-homes.ts'

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

test('a zone that cannot be read is trouble, and keeps nobody from knowing where apps are', async () => {
  const trouble: unknown[] = []
  const refused = new Error('not authorized to perform: route53:ListHostedZones')
  const shop = {
    serviceName: 'shop_web_GAAAAAAAAAA',
    status: 'ACTIVE',
    tags: [{ key: 'rack:balancer', value: '2' }],
  }
  const balancer = { arn: 'arn:1', host: 'first.elb.test', listeners: { http: 'arn:http', https: null } }
  const further = { ...balancer, arn: 'arn:2', host: 'second.elb.test', number: 2 }
  const parts = {
    rack: 'r1',
    domain: 'rack.test',
    domains: { current: () => [] },
    clients: {
      zones: { listHostedZones: () => Promise.reject(refused) },
      balancers: { describeRules: async () => ({}) },
      ecs: {
        listServices: async () => ({ serviceArns: [`arn/${shop.serviceName}`] }),
        describeServices: async () => ({ services: [shop] }),
      },
    },
    places: { balancer, cluster: 'r1' },
    web: { further: [further], hosts: new Map() },
    madeServices: new Set(),
    onTrouble: (error: unknown) => trouble.push(error),
  } as unknown as AwsParts
  const homes = await bringHomes(parts, { signal: new AbortController().signal })
  assert.deepEqual([homes(appOwner('shop'))?.number, homes(appOwner('blog'))?.number], [2, 1])
  assert.deepEqual(trouble, [refused])
})

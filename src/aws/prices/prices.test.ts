import assert from 'node:assert/strict'
import { test } from 'node:test'
import { estimateText } from '../../domain/estimate.ts'
import { estimateMonth } from './estimate-month.ts'
import { findPrice, placeOf } from './price-list.ts'
import { quantitiesOf } from './quantities.ts'

const product = (usagetype: string, dimensions: object[], more: object = {}) =>
  JSON.stringify({
    product: { sku: 'S', attributes: { usagetype } },
    terms: { OnDemand: { 'S.T': { priceDimensions: Object.fromEntries(Object.entries(dimensions)) } } },
    publicationDate: '2026-11-01T00:00:00Z',
    ...more,
  })
const dimension = (unit: string, price: object, beginRange = '0') => ({
  unit,
  beginRange,
  pricePerUnit: price,
})
const balancer = placeOf('application-balancer')

test('a price is that of the thing itself, in whatever Region, not that of a neighbour', () => {
  const own = dimension('Hrs', { USD: '0.5' })
  const found = { amount: 0.5, currency: 'USD', published: '2026-11-01T00:00:00Z' }
  for (const usage of ['LoadBalancerUsage', 'EUC1-LoadBalancerUsage', 'EU-LoadBalancerUsage'])
    assert.deepEqual(findPrice([product(usage, [own])], balancer), found, usage)
  for (const usage of ['EUC1-TS-LoadBalancerUsage', 'TS-LoadBalancerUsage', 'LCUUsage', 'LoadBalancerUsageX'])
    assert.equal(findPrice([product(usage, [own])], balancer), null, usage)
  const key = product('eu-central-1-KMS-Keys', [dimension('Keys', { USD: '1' })])
  assert.equal(findPrice([key], placeOf('key'))?.amount, 1)
  const cache = placeOf('cache redis cache.t4g.micro')
  assert.equal(findPrice([product('NodeUsage:cache.t4g.micro', [own])], cache)?.amount, 0.5)
  for (const usage of ['ExtendedSupportYr3-NodeUsage:cache.t4g.micro', 'NodeUsage:cacheXt4g.micro'])
    assert.equal(findPrice([product(usage, [own])], cache), null, usage)
})

test('where more cost less, the first ones count', () => {
  const zones = [dimension('HostedZone', { USD: '1' }, '25'), dimension('HostedZone', { USD: '5' })]
  assert.equal(findPrice([product('HostedZone', zones)], placeOf('zone'))?.amount, 5)
})

test('what can be read in two ways, or in none, is no price', () => {
  const [one, two] = ['1', '2'].map((USD) => product('LoadBalancerUsage', [dimension('Hrs', { USD })]))
  assert.equal(findPrice([one!, two!], balancer), null)
  assert.equal(findPrice([one!, one!], balancer)?.amount, 1)
  assert.equal(findPrice([], balancer), null)
  const unreadable: [string, object][] = [
    ['GB', { USD: '1' }],
    ['Hrs', {}],
    ['Hrs', { USD: 'free' }],
  ]
  for (const [unit, price] of unreadable)
    assert.equal(findPrice([product('LoadBalancerUsage', [dimension(unit, price)])], balancer), null)
  assert.equal(findPrice([product('LoadBalancerUsage', [], { terms: {} })], balancer), null)
})

test('quantities are what templates make', () => {
  const resources = (all: [string, object?][]) => ({
    Resources: Object.fromEntries(all.map(([Type, Properties = {}], at) => [`R${at}`, { Type, Properties }])),
  })
  const base = resources([
    ['AWS::KMS::Key'],
    ['AWS::EC2::VPC'],
    ['AWS::EC2::NatGateway'],
    ['AWS::EC2::EIP'],
    ['AWS::Route53::HostedZone'],
    ['AWS::ServiceDiscovery::PrivateDnsNamespace'],
  ])
  const rack = resources([
    ['AWS::ElasticLoadBalancingV2::LoadBalancer', { Type: 'application' }],
    ['AWS::ElasticLoadBalancingV2::LoadBalancer', { Type: 'network', Scheme: 'internal' }],
  ])
  const place = { balancerSubnets: 2, assignsPublicIp: true }
  const found = quantitiesOf([base, rack, {}], place)
  const counted = Object.fromEntries(found.map(({ of, count }) => [of, count]))
  assert.deepEqual(counted, {
    key: 1,
    nat: 1,
    address: 3,
    zone: 2,
    'application-balancer': 1,
    'network-balancer': 1,
  })
  const inside = resources([
    ['AWS::RDS::DBInstance', { Engine: 'mysql', DBInstanceClass: 'db.t4g.small', AllocatedStorage: '20' }],
    ['AWS::ElastiCache::ReplicationGroup', { Engine: 'valkey', CacheNodeType: 'C', NumCacheClusters: 1 }],
    ['AWS::ElastiCache::CacheCluster', { Engine: 'memcached', CacheNodeType: 'C', NumCacheNodes: 2 }],
    ['AWS::SecretsManager::Secret'],
    ['AWS::ECS::TaskDefinition', { Cpu: '512', Memory: '1024' }],
    ['AWS::ECS::Service'],
  ])
  const daemon = quantitiesOf([inside], place)
  assert.deepEqual(Object.fromEntries(daemon.map(({ of, count }) => [of, count])), {
    'database mysql db.t4g.small': 1,
    'database-disk mysql': 20,
    'cache valkey C': 1,
    'cache memcached C': 2,
    secret: 1,
    'fargate-cpu': 0.5,
    'fargate-memory': 1,
    address: 1,
  })
})

/** A price list of which each question is answered so. */
const listed = (answer: () => Promise<{ PriceList: string[] }>) =>
  ({ getProducts: answer }) as unknown as Parameters<typeof estimateMonth>[0]
const now = new Date('2026-12-01T00:00:00Z')
const asked = {
  region: 'eu-west-1',
  quantities: [
    { of: 'network-balancer', count: 1 },
    { of: 'address', count: 2 },
  ] as const,
  byUse: [],
  now,
}
const control = { signal: new AbortController().signal }

test('an estimate is one sentence, with the date of its prices, or says that there is none', async () => {
  const known = listed(async () => ({
    PriceList: [product('LoadBalancerUsage', [dimension('Hrs', { USD: '0.5' })])],
  }))
  assert.equal(
    estimateText(await estimateMonth(known, asked, control)),
    'network load balancer 0.5 an hour, together 365.00 USD in 730 hours (an estimate: list prices of eu-west-1 on 2026-12-01, published 2026-11-01, without tax, discounts, free tier, traffic; the price list names none for: public IPv4 address)',
  )
  // Nobody waits for one that hangs.
  const hanging = listed(async () => await new Promise(() => undefined))
  const late = await estimateMonth(hanging, { ...asked, deadlineMs: 20 }, control)
  assert.match(estimateText(late), /^no estimate, quantities alone; .+ timed out after 20 ms/)
  const ended = { signal: AbortSignal.abort(new Error('the caller has gone')) }
  await assert.rejects(estimateMonth(hanging, asked, ended), /the caller has gone/)
})

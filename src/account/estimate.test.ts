import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPrice, pricePlaces } from './price-list.ts'
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
const balancer = pricePlaces['application-balancer']

test('a price is that of the thing itself, in whatever Region, not that of a neighbour', () => {
  const own = dimension('Hrs', { USD: '0.5' })
  const found = { amount: 0.5, currency: 'USD', published: '2026-11-01T00:00:00Z' }
  for (const usage of ['LoadBalancerUsage', 'EUC1-LoadBalancerUsage', 'EU-LoadBalancerUsage'])
    assert.deepEqual(findPrice([product(usage, [own])], balancer), found, usage)
  for (const usage of ['EUC1-TS-LoadBalancerUsage', 'LCUUsage', 'LoadBalancerUsageX'])
    assert.equal(findPrice([product(usage, [own])], balancer), null, usage)
  const key = product('eu-central-1-KMS-Keys', [dimension('Keys', { USD: '1' })])
  assert.equal(findPrice([key], pricePlaces.key)?.amount, 1)
})

test('where more cost less, the first ones count', () => {
  const zones = [dimension('HostedZone', { USD: '1' }, '25'), dimension('HostedZone', { USD: '5' })]
  assert.equal(findPrice([product('HostedZone', zones)], pricePlaces.zone)?.amount, 5)
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
    ['AWS::RDS::DBInstance', { AllocatedStorage: '20' }],
    ['AWS::SecretsManager::Secret'],
    ['AWS::ECS::TaskDefinition', { Cpu: '512', Memory: '1024' }],
    ['AWS::ECS::Service'],
  ])
  const daemon = quantitiesOf([inside], place)
  assert.deepEqual(Object.fromEntries(daemon.map(({ of, count }) => [of, count])), {
    store: 1,
    'store-disk': 20,
    secret: 1,
    'fargate-cpu': 0.5,
    'fargate-memory': 1,
    address: 1,
  })
})

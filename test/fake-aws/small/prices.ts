import * as sdk from '@aws-sdk/client-pricing'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'

interface Product {
  service: string
  family: string | null
  /** Without the Region's prefix, which some have. */
  usage: string
  unit: string
  /** Made up, and no price of AWS's; of the first units and of further ones where there are two. */
  prices: [from: string, price: string][]
  attributes?: Record<string, string>
  isGlobal?: true
}

const hour = (price: string): Pick<Product, 'unit' | 'prices'> => ({ unit: 'Hrs', prices: [['0', price]] })

/** S: attributes as price tools on GitHub ask for them; a disk is listed for each engine. */
function ofDatabases(databaseEngine: string): Product[] {
  const instance = (instanceType: string, deploymentOption: string, usage: string, price: string) => ({
    service: 'AmazonRDS',
    family: 'Database Instance',
    usage: `${usage}:${instanceType}`,
    ...hour(price),
    attributes: { databaseEngine, deploymentOption, instanceType },
  })
  return [
    instance('db.t4g.micro', 'Single-AZ', 'InstanceUsage', '0.75'),
    instance('db.t4g.medium', 'Single-AZ', 'InstanceUsage', '1.5'),
    instance('db.t4g.micro', 'Multi-AZ', 'Multi-AZUsage', '94'),
    {
      service: 'AmazonRDS',
      family: 'Database Storage',
      usage: 'RDS:GP3-Storage',
      unit: 'GB-Mo',
      prices: [['0', '0.0625']],
      attributes: { databaseEngine, deploymentOption: 'Single-AZ' },
    },
  ]
}

/** S: a node, and what an engine costs beside it whose version is too old, which has the same attributes. */
function ofCache(cacheEngine: string, instanceType: string, price: string, before = ''): Product {
  return {
    service: 'AmazonElastiCache',
    family: 'Cache Instance',
    usage: `${before}NodeUsage:${instanceType}`,
    ...hour(price),
    attributes: { cacheEngine, instanceType },
  }
}

/** S: usage types, families and units as price tools on GitHub name them; a near neighbour of each is there too. */
const products: Product[] = [
  { service: 'AWSELB', family: 'Load Balancer-Application', usage: 'LoadBalancerUsage', ...hour('2') },
  { service: 'AWSELB', family: 'Load Balancer-Application', usage: 'TS-LoadBalancerUsage', ...hour('99') },
  { service: 'AWSELB', family: 'Load Balancer-Application', usage: 'LCUUsage', ...hour('98') },
  { service: 'AWSELB', family: 'Load Balancer-Network', usage: 'LoadBalancerUsage', ...hour('3') },
  { service: 'AmazonVPC', family: null, usage: 'PublicIPv4:InUseAddress', ...hour('0.5') },
  { service: 'AmazonVPC', family: null, usage: 'PublicIPv4:IdleAddress', ...hour('97') },
  { service: 'AmazonEC2', family: 'NAT Gateway', usage: 'NatGateway-Hours', ...hour('4') },
  {
    service: 'AmazonEC2',
    family: 'NAT Gateway',
    usage: 'NatGateway-Bytes',
    unit: 'GB',
    prices: [['0', '96']],
  },
  { service: 'awskms', family: 'Encryption Key', usage: 'KMS-Keys', unit: 'Keys', prices: [['0', '7']] },
  {
    service: 'AmazonRoute53',
    family: 'DNS Zone',
    usage: 'HostedZone',
    unit: 'HostedZone',
    prices: [
      ['25', '1'],
      ['0', '5'],
    ],
    isGlobal: true,
  },
  {
    service: 'AWSSecretsManager',
    family: 'Secret',
    usage: 'AWSSecretsManager-Secrets',
    unit: 'Secrets',
    prices: [['0', '6']],
  },
  { service: 'AmazonECS', family: 'Compute', usage: 'Fargate-vCPU-Hours:perCPU', ...hour('0.25') },
  { service: 'AmazonECS', family: 'Compute', usage: 'Fargate-GB-Hours', ...hour('0.125') },
  { service: 'AmazonECS', family: 'Compute', usage: 'Fargate-ARM-vCPU-Hours:perCPU', ...hour('95') },
  ...['PostgreSQL', 'MySQL'].flatMap(ofDatabases),
  ofCache('Redis', 'cache.t4g.micro', '0.375'),
  ofCache('Redis', 'cache.t4g.micro', '93', 'ExtendedSupportYr3-'),
  ofCache('Valkey', 'cache.t4g.micro', '0.3125'),
  ofCache('Valkey', 'cache.t4g.small', '0.625'),
  ofCache('Memcached', 'cache.t4g.micro', '0.4375'),
]

/** The price list, as AWS writes it (S), with prices that nobody can take for AWS's. */
export function createPrices({ region }: FakeAccount): FakeService {
  return {
    scope: 'pricing',
    sdk,
    actions: {
      GetProducts: async (input: sdk.GetProductsRequest): Promise<sdk.GetProductsResponse> => {
        const { ServiceCode, Filters = [], NextToken } = input
        const ofService = products.filter(({ service }) => service === ServiceCode)
        if (ofService.length === 0) {
          throw new AwsError('InvalidParameterException', `Invalid ServiceCode: ${ServiceCode}`)
        }
        const other = Filters.find(({ Type }) => Type !== 'TERM_MATCH')
        if (other) throw new NotModelled(`a filter of the type ${other.Type}`)
        const found = ofService
          .map((product) => listed(product, region))
          .filter(({ attributes }) =>
            Filters.every(
              ({ Field = '', Value = '' }) => attributes[Field]?.toLowerCase() === Value.toLowerCase(),
            ),
          )
        // AWS gives up to 100 a page (D); fewer, so that there is a next one.
        const { page, next } = paged(found, NextToken, {
          pageSize: 2,
          key: ({ sku }) => sku,
          error: 'InvalidNextTokenException',
        })
        return {
          FormatVersion: 'aws_v1',
          PriceList: page.map(({ text }) => text),
          ...(next !== undefined && { NextToken: next }),
        }
      },
    },
  }
}

function listed(product: Product, region: string) {
  const { service, family, usage, unit, prices, isGlobal } = product
  const sku = `SKU${String(products.indexOf(product)).padStart(3, '0')}`
  const prefix = isGlobal ? '' : service === 'awskms' ? `${region}-` : 'EUT1-'
  // A prefix stands before what stands before the usage.
  const attributes: Record<string, string> = {
    servicecode: service,
    usagetype: `${prefix}${usage}`,
    ...(isGlobal ? {} : { regionCode: region, location: 'Somewhere' }),
    ...product.attributes,
  }
  const term = `${sku}.JRTCKXETXF`
  const priceDimensions = Object.fromEntries(
    prices.map(([from, price], at) => [
      `${term}.${at}`,
      { unit, beginRange: from, endRange: 'Inf', description: 'made up', pricePerUnit: { USD: price } },
    ]),
  )
  const text = JSON.stringify({
    product: { sku, attributes, ...(family !== null && { productFamily: family }) },
    serviceCode: service,
    terms: {
      OnDemand: { [term]: { sku, offerTermCode: 'JRTCKXETXF', priceDimensions, termAttributes: {} } },
    },
    version: '20261101000000',
    publicationDate: '2026-11-01T00:00:00Z',
  })
  return {
    sku,
    text,
    attributes: { ...attributes, ...(family !== null && { productFamily: family }) } as Record<
      string,
      string
    >,
  }
}

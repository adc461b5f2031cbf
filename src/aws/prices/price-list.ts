/** What has one price a Region: what is billed for being there, and of what is billed by use one of each. */
type Single = keyof typeof places

/** What a price is asked for; of what RDS and ElastiCache run, by CloudFormation's names of engine and machine. */
export type Billed =
  | Single
  | `database ${string} ${string}`
  | `database-disk ${string}`
  | `cache ${string} ${string}`

/** Where the price of a thing is found in the price list of AWS, and what one of it is. */
export interface PricePlace {
  /** As `GetProducts` calls the service. */
  service: string
  /** Attributes of the product; `regionCode` comes to them unless the price is the same everywhere. */
  attributes: Record<string, string>
  isGlobal?: true
  /** The usage type, before which the Region's own prefix may stand. */
  usage: string
  /** As the price's dimension calls its unit. */
  unit: RegExp
  per: 'hour' | 'month'
  /** As a person calls it. */
  text: string
}

const hours = /^h(ou)?rs?$/i

/**
 * Usage types are those of AWS's bills; of each there is one product a Region.
 * @see https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
 */
const places = {
  'application-balancer': {
    service: 'AWSELB',
    attributes: { productFamily: 'Load Balancer-Application' },
    usage: 'LoadBalancerUsage',
    unit: hours,
    per: 'hour',
    text: 'application load balancer',
  },
  'network-balancer': {
    service: 'AWSELB',
    attributes: { productFamily: 'Load Balancer-Network' },
    usage: 'LoadBalancerUsage',
    unit: hours,
    per: 'hour',
    text: 'network load balancer',
  },
  address: {
    service: 'AmazonVPC',
    attributes: {},
    usage: 'PublicIPv4:InUseAddress',
    unit: hours,
    per: 'hour',
    text: 'public IPv4 address',
  },
  nat: {
    service: 'AmazonEC2',
    attributes: { productFamily: 'NAT Gateway' },
    usage: 'NatGateway-Hours',
    unit: hours,
    per: 'hour',
    text: 'NAT gateway',
  },
  key: {
    service: 'awskms',
    attributes: {},
    usage: 'KMS-Keys',
    unit: /^keys?$/i,
    per: 'month',
    text: 'key of KMS',
  },
  zone: {
    service: 'AmazonRoute53',
    attributes: { productFamily: 'DNS Zone' },
    isGlobal: true,
    usage: 'HostedZone',
    unit: /^hosted ?zones?$/i,
    per: 'month',
    text: 'hosted zone',
  },
  secret: {
    service: 'AWSSecretsManager',
    attributes: { productFamily: 'Secret' },
    usage: 'AWSSecretsManager-Secrets',
    unit: /^secrets?$/i,
    per: 'month',
    text: 'secret',
  },
  'fargate-cpu': {
    service: 'AmazonECS',
    attributes: {},
    usage: 'Fargate-vCPU-Hours:perCPU',
    unit: hours,
    per: 'hour',
    text: 'vCPU on Fargate',
  },
  'fargate-memory': {
    service: 'AmazonECS',
    attributes: {},
    usage: 'Fargate-GB-Hours',
    unit: hours,
    per: 'hour',
    text: 'GB of memory on Fargate',
  },
} satisfies Record<string, PricePlace>

/** As the price list calls engines that CloudFormation calls otherwise. */
const engineNames: Record<string, string> = {
  postgres: 'PostgreSQL',
  mysql: 'MySQL',
  redis: 'Redis',
  valkey: 'Valkey',
  memcached: 'Memcached',
}

/** Where its price is found, and how a person calls it. Pure. */
export function placeOf(billed: Billed): PricePlace {
  const [what = '', engine = '', machine = ''] = billed.split(' ')
  const name = engineNames[engine] ?? engine
  const ofDatabase = { databaseEngine: name, deploymentOption: 'Single-AZ' }
  const usageOf = (usage: string) => `${usage}:${machine.replaceAll('.', String.raw`\.`)}`
  switch (what) {
    case 'database':
      return {
        service: 'AmazonRDS',
        attributes: { productFamily: 'Database Instance', ...ofDatabase, instanceType: machine },
        usage: usageOf('InstanceUsage'),
        unit: hours,
        per: 'hour',
        text: `${name} database ${machine} of RDS`,
      }
    case 'database-disk':
      return {
        service: 'AmazonRDS',
        attributes: { productFamily: 'Database Storage', ...ofDatabase },
        usage: 'RDS:GP3-Storage',
        unit: /^GB-Mo$/i,
        per: 'month',
        text: 'GB of disk of RDS',
      }
    case 'cache':
      return {
        service: 'AmazonElastiCache',
        attributes: { productFamily: 'Cache Instance', cacheEngine: name, instanceType: machine },
        usage: usageOf('NodeUsage'),
        unit: hours,
        per: 'hour',
        text: `${name} cache ${machine} of ElastiCache`,
      }
    default:
      return places[billed as Single]
  }
}

/** One price; `amount` is of the first units of a month where more of them cost less. */
export interface Price {
  amount: number
  /** As `USD`. */
  currency: string
  /** When the list was published, as its own text says. */
  published: string | null
}

interface Product {
  product?: { attributes?: Record<string, string> }
  terms?: { OnDemand?: Record<string, { priceDimensions?: Record<string, PriceDimension> }> }
  publicationDate?: string
}

interface PriceDimension {
  unit?: string
  beginRange?: string
  pricePerUnit?: Record<string, string>
}

/**
 * Finds the price of a thing among products as `GetProducts` gives them; null where there is none, or more than one and
 * nobody can say which. Pure.
 */
export function findPrice(products: readonly string[], { usage, unit }: PricePlace): Price | null {
  const isIt = new RegExp(`^(EU-|[A-Z]{3,4}\\d+-|[a-z]+(-[a-z]+)+-\\d+-)?${usage}$`)
  const found = products.flatMap((text) => {
    const { product, terms, publicationDate = null } = JSON.parse(text) as Product
    if (!isIt.test(product?.attributes?.['usagetype'] ?? '')) return []
    return firstDimensions(terms).flatMap(({ unit: said = '', pricePerUnit = {} }) => {
      const [currency, amount] = Object.entries(pricePerUnit)[0] ?? []
      const isPrice = currency !== undefined && unit.test(said) && Number(amount) >= 0
      return isPrice ? [{ amount: Number(amount), currency, published: publicationDate }] : []
    })
  })
  const [first] = found
  if (!first) return null
  const isOne = found.every(({ amount, currency }) => amount === first.amount && currency === first.currency)
  return isOne ? first : null
}

function firstDimensions(terms: Product['terms']): PriceDimension[] {
  const all = Object.values(terms?.OnDemand ?? {}).flatMap(({ priceDimensions = {} }) =>
    Object.values(priceDimensions),
  )
  return all.filter(({ beginRange = '0' }) => Number(beginRange) === 0)
}

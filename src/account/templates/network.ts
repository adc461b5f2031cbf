import { att, ref, tagsOf, type Resources } from './template.ts'

/** In which network of the account a rack stands. */
export type NetworkInput =
  /** One of its own, in two zones. */
  | {
      kind: 'own'
      /** Processes stand behind gateways, one a zone, and have no public addresses. */
      nat: boolean
    }
  /** The user's. */
  | {
      kind: 'given'
      vpc: string
      /** Where tasks and the file system stand: one a zone, at least two. */
      subnets: string[]
      /** Where balancers stand, with a route to an internet gateway: one a zone, at least two. */
      balancerSubnets: string[]
      /** False where the subnets have a way out by a gateway. */
      assignsPublicIp: boolean
    }

/** What the other parts of the base refer to. */
export interface NetworkPlaces {
  vpc: unknown
  subnets: unknown[]
  balancerSubnets: unknown[]
  assignsPublicIp: boolean
}

export function placesOfNetwork(network: NetworkInput): NetworkPlaces {
  if (network.kind === 'given') return network
  const open = zones.map(({ name }) => ref(`Public${name}`))
  return {
    vpc: ref('Vpc'),
    subnets: network.nat ? zones.map(({ name }) => ref(`Private${name}`)) : open,
    balancerSubnets: open,
    assignsPublicIp: !network.nat,
  }
}

/** A /20 each: 4,091 addresses, one a task. */
const zones = [
  { name: 'A', at: 0, open: '10.213.0.0/20', closed: '10.213.128.0/20' },
  { name: 'B', at: 1, open: '10.213.16.0/20', closed: '10.213.144.0/20' },
]

type Zone = (typeof zones)[number]

const anywhere = '0.0.0.0/0'

/** The resources of a network; none where the user gives one. */
export function networkResources(rack: string, network: NetworkInput): Resources {
  if (network.kind === 'given') return {}
  const tables = ['PublicRoutes', ...(network.nat ? zones.map(({ name }) => `PrivateRoutes${name}`) : [])]
  return {
    Vpc: {
      Type: 'AWS::EC2::VPC',
      Properties: {
        CidrBlock: '10.213.0.0/16',
        EnableDnsSupport: true,
        EnableDnsHostnames: true,
        Tags: tagsOf(rack, 'vpc'),
      },
    },
    InternetGateway: {
      Type: 'AWS::EC2::InternetGateway',
      Properties: { Tags: tagsOf(rack, 'gateway') },
    },
    InternetAttachment: {
      Type: 'AWS::EC2::VPCGatewayAttachment',
      Properties: { VpcId: ref('Vpc'), InternetGatewayId: ref('InternetGateway') },
    },
    ...publicParts(rack),
    ...(network.nat && Object.assign({}, ...zones.map((zone) => privateParts(rack, zone)))),
    ObjectsEndpoint: {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcId: ref('Vpc'),
        VpcEndpointType: 'Gateway',
        ServiceName: { 'Fn::Sub': 'com.amazonaws.${AWS::Region}.s3' },
        RouteTableIds: tables.map(ref),
      },
    },
  }
}

const zoneAt = (at: number) => ({ 'Fn::Select': [at, { 'Fn::GetAZs': '' }] })

function publicParts(rack: string): Resources {
  const table = { RouteTableId: ref('PublicRoutes') }
  const subnets = zones.flatMap(({ name, at, open }): [string, Resources[string]][] => [
    [
      `Public${name}`,
      {
        Type: 'AWS::EC2::Subnet',
        Properties: {
          VpcId: ref('Vpc'),
          AvailabilityZone: zoneAt(at),
          CidrBlock: open,
          Tags: tagsOf(rack, `public-${name.toLowerCase()}`),
        },
      },
    ],
    [
      `PublicRoutesOf${name}`,
      {
        Type: 'AWS::EC2::SubnetRouteTableAssociation',
        Properties: { SubnetId: ref(`Public${name}`), ...table },
      },
    ],
  ])
  return {
    PublicRoutes: {
      Type: 'AWS::EC2::RouteTable',
      Properties: { VpcId: ref('Vpc'), Tags: tagsOf(rack, 'public') },
    },
    PublicRoute: {
      Type: 'AWS::EC2::Route',
      // A route to a gateway that is not attached yet is refused.
      DependsOn: 'InternetAttachment',
      Properties: { ...table, DestinationCidrBlock: anywhere, GatewayId: ref('InternetGateway') },
    },
    ...Object.fromEntries(subnets),
  }
}

/** A gateway a zone, so that a zone that goes away takes no other's way out. */
function privateParts(rack: string, { name, at, closed }: Zone): Resources {
  const tags = (what: string) => tagsOf(rack, `${what}-${name.toLowerCase()}`)
  return {
    [`Private${name}`]: {
      Type: 'AWS::EC2::Subnet',
      Properties: {
        VpcId: ref('Vpc'),
        AvailabilityZone: zoneAt(at),
        CidrBlock: closed,
        Tags: tags('private'),
      },
    },
    [`NatAddress${name}`]: {
      Type: 'AWS::EC2::EIP',
      DependsOn: 'InternetAttachment',
      Properties: { Domain: 'vpc', Tags: tags('nat') },
    },
    [`Nat${name}`]: {
      Type: 'AWS::EC2::NatGateway',
      Properties: {
        SubnetId: ref(`Public${name}`),
        AllocationId: att(`NatAddress${name}`, 'AllocationId'),
        Tags: tags('nat'),
      },
    },
    [`PrivateRoutes${name}`]: {
      Type: 'AWS::EC2::RouteTable',
      Properties: { VpcId: ref('Vpc'), Tags: tags('private') },
    },
    [`PrivateRoute${name}`]: {
      Type: 'AWS::EC2::Route',
      Properties: {
        RouteTableId: ref(`PrivateRoutes${name}`),
        DestinationCidrBlock: anywhere,
        NatGatewayId: ref(`Nat${name}`),
      },
    },
    [`PrivateRoutesOf${name}`]: {
      Type: 'AWS::EC2::SubnetRouteTableAssociation',
      Properties: { SubnetId: ref(`Private${name}`), RouteTableId: ref(`PrivateRoutes${name}`) },
    },
  }
}

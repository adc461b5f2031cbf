import type { FakeAccount } from '../../fake-service.ts'
import type { BuildProject, BuildProjects } from '../../codebuild/create-builds.ts'
import type { Clusters } from '../../ecs/create-ecs.ts'
import type { BalancerMaker } from '../../elb/create-elb.ts'
import type { NameMaker } from '../../names/create-names.ts'
import type { LinkedRoles } from '../../small/linked-roles.ts'
import type { LogGroups } from '../../small/logs.ts'
import { hex, plainModel, text, texts, type Inventory, type Properties, type ResourceModel } from './model.ts'

export interface RackLinks {
  account: FakeAccount
  clusters: Clusters
  balancers: BalancerMaker
  names: NameMaker
  projects: BuildProjects
  logGroups: LogGroups
  linkedRoles: Pick<LinkedRoles, 'assume'>
}

/** What processes run in, are reached by and are found by. Times are guesses (J). */
export function rackModels(links: RackLinks, inventory: Inventory): Record<string, ResourceModel> {
  const { account, names } = links
  return {
    'AWS::ECS::Cluster': cluster(links),
    'AWS::ElasticLoadBalancingV2::LoadBalancer': balancer(links, inventory),
    'AWS::ElasticLoadBalancingV2::Listener': listener(links),
    'AWS::CodeBuild::Project': project(links, inventory),
    'AWS::Route53::HostedZone': {
      takesMs: 40_000,
      create: ({ Name }) => {
        const id = names.addZone(text(Name)!)
        return { physical: id, attributes: { Id: id } }
      },
      update: () => {},
      delete: () => names.removeZone(),
    },
    'AWS::ServiceDiscovery::PrivateDnsNamespace': {
      takesMs: 60_000,
      create: ({ Name }) => {
        const id = names.addNamespace(text(Name)!)
        const arn = `arn:aws:servicediscovery:${account.region}:${account.account}:namespace/${id}`
        return { physical: id, attributes: { Id: id, Arn: arn, HostedZoneId: `Z${hex(8).toUpperCase()}` } }
      },
      update: () => {},
      delete: () => names.removeNamespace(),
    },
    'AWS::Events::Rule': plainModel(inventory, 'AWS::Events::Rule', {
      takesMs: 60_000,
      make: ({ Name }, generated) => {
        const name = text(Name) ?? generated
        const arn = `arn:aws:events:${account.region}:${account.account}:rule/${name}`
        return { physical: name, attributes: { Arn: arn } }
      },
    }),
    'AWS::Logs::ResourcePolicy': plainModel(inventory, 'AWS::Logs::ResourcePolicy', {
      takesMs: 2000,
      make: ({ PolicyName, PolicyDocument }) => {
        // It is a text there, unlike elsewhere (D).
        JSON.parse(text(PolicyDocument)!)
        return { physical: text(PolicyName)!, attributes: {} }
      },
    }),
    'AWS::IAM::ManagedPolicy': managedPolicy(account, inventory),
  }
}

function cluster({ clusters, account, linkedRoles }: RackLinks): ResourceModel {
  return {
    takesMs: 10_000,
    named: 'ClusterName',
    create({ ClusterName }, generated) {
      const name = text(ClusterName) ?? generated
      linkedRoles.assume('ecs.amazonaws.com')
      clusters.add(name)
      return {
        physical: name,
        attributes: { Arn: `arn:aws:ecs:${account.region}:${account.account}:cluster/${name}` },
      }
    },
    update: () => {},
    delete: ({ physical }) => clusters.remove(physical),
  }
}

function balancer({ balancers }: RackLinks, { subnets, securityGroups }: Inventory): ResourceModel {
  return {
    takesMs: 150_000,
    named: 'Name',
    async create({ Name, Type, Subnets, SecurityGroups, LoadBalancerAttributes }, generated) {
      const zones = texts(Subnets).map((id) => {
        const zone = subnets.get(id)
        if (zone === undefined) throw new Error(`The subnet ID '${id}' is not valid`)
        return zone
      })
      // D: of each zone one subnet, and at least two of them.
      if (zones.length < 2 || new Set(zones).size < zones.length)
        throw new Error('At least two subnets in two different Availability Zones must be specified')
      const group = texts(SecurityGroups).find((id) => !securityGroups.has(id))
      if (group !== undefined) throw new Error(`The security group '${group}' does not exist`)
      const made = await balancers.add({
        // D: what CloudFormation names is cut to 32 characters.
        name: text(Name) ?? `${generated.slice(0, 20)}${hex(6)}`.slice(0, 32),
        type: Type === 'network' ? 'network' : 'application',
        // What the rack names it knows by its host.
        isNamed: Type === 'network' || Name !== undefined,
        idleTimeoutSeconds: idleTimeoutOf(LoadBalancerAttributes),
        securityGroups: texts(SecurityGroups),
      })
      // D: the end of its ARN, `app/NAME/ID`.
      const LoadBalancerFullName = made.arn.slice(
        made.arn.indexOf(':loadbalancer/') + ':loadbalancer/'.length,
      )
      const attributes = { LoadBalancerArn: made.arn, DNSName: made.dnsName, LoadBalancerFullName }
      return { physical: made.arn, attributes }
    },
    update: () => {},
    delete: async ({ physical }) => await balancers.remove(physical),
  }
}

function idleTimeoutOf(attributes: unknown): number {
  const given = (attributes ?? []) as { Key: string; Value: string }[]
  return Number(given.find(({ Key }) => Key === 'idle_timeout.timeout_seconds')?.Value ?? 60)
}

function listener({ balancers }: RackLinks): ResourceModel {
  return {
    takesMs: 3000,
    async create(properties) {
      const arn = await balancers.addListener(properties)
      return { physical: arn, attributes: { ListenerArn: arn } }
    },
    update: async ({ physical }, properties) => await balancers.changeListener(physical, properties),
    delete: async ({ physical }) => await balancers.removeListener(physical),
  }
}

function project({ projects, logGroups }: RackLinks, { roles }: Inventory): ResourceModel {
  const settings = ({ ServiceRole, Source, LogsConfig, Environment }: Properties): BuildProject => {
    if (!roles.has(text(ServiceRole) ?? ''))
      throw new Error(`CodeBuild is not authorized to assume ${text(ServiceRole)}`)
    const { Type, BuildSpec } = Source as { Type: string; BuildSpec?: string }
    // D: a project without a source brings its buildspec.
    if (Type !== 'NO_SOURCE' || !BuildSpec)
      throw new Error('a source of type NO_SOURCE with its buildspec alone is here')
    const { CloudWatchLogs } = LogsConfig as { CloudWatchLogs: { GroupName: string } }
    logGroups.arn(CloudWatchLogs.GroupName)
    return { logGroup: CloudWatchLogs.GroupName, variables: variablesOf(Environment), isInstalled: true }
  }
  return {
    takesMs: 10_000,
    named: 'Name',
    create(properties, generated) {
      const name = text(properties['Name']) ?? generated
      if (projects[name]) throw new Error(`Project already exists: ${name}`)
      projects[name] = settings(properties)
      return { physical: name, attributes: { Arn: name } }
    },
    update: ({ physical }, properties) => void (projects[physical] = settings(properties)),
    delete: ({ physical }) => void delete projects[physical],
  }
}

interface BuildEnvironment {
  Image: string
  PrivilegedMode?: boolean | string
  ImagePullCredentialsType: string
  EnvironmentVariables?: { Name: string; Value: string }[]
}

/** The variables of a project whose image is AWS's own, and may run an Engine. */
function variablesOf(environment: unknown): Record<string, string> {
  const {
    Image,
    PrivilegedMode,
    ImagePullCredentialsType,
    EnvironmentVariables = [],
  } = environment as BuildEnvironment
  if (!Image.startsWith('aws/codebuild/')) throw new Error('an image of CodeBuild itself alone is here')
  // S: of its own image CodeBuild takes no other credentials.
  if (ImagePullCredentialsType !== 'CODEBUILD')
    throw new Error('a curated image needs credentials of CODEBUILD')
  if (String(PrivilegedMode) !== 'true') throw new Error('without privileged mode its Engine does not start')
  return Object.fromEntries(EnvironmentVariables.map(({ Name, Value }) => [Name, Value]))
}

/** D: "IAM and AWS STS quotas": a managed policy, white space apart. */
const longestPolicy = 6144

function managedPolicy({ account }: FakeAccount, inventory: Inventory): ResourceModel {
  const assertLength = ({ PolicyDocument }: Properties) => {
    if (JSON.stringify(PolicyDocument).length > longestPolicy)
      throw new Error(`Cannot exceed quota for PolicySize: ${longestPolicy}`)
  }
  const plain = plainModel(inventory, 'AWS::IAM::ManagedPolicy', {
    takesMs: 15_000,
    make: (properties, generated) => {
      assertLength(properties)
      const name = text(properties['ManagedPolicyName']) ?? generated
      const arn = `arn:aws:iam::${account}:policy${text(properties['Path']) ?? '/'}${name}`
      return { physical: arn, attributes: { PolicyArn: arn } }
    },
  })
  return { ...plain, named: 'ManagedPolicyName', update: (_made, properties) => assertLength(properties) }
}

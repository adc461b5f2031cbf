/** What the rack's stacks have made, in which the engine works. */
export interface AwsPlaces {
  region: string
  account: string
  /** Of ECS; called as the rack. */
  cluster: string
  vpc: string
  /** In which tasks stand, one a zone. */
  subnets: string[]
  /** In which balancers stand. */
  balancerSubnets: string[]
  /**
   * Ids of security groups: of every process, of the balancers, of the daemon, and of what is open for the web and at ports
   * of their own; that of the web is absent where an earlier version has written them down.
   */
  securityGroups: { processes: string; balancers: string; daemon: string; web?: string; ports: string }
  /** False behind a gateway of the account's own. */
  assignsPublicIp: boolean
  /** Id of the rack's own zone of Route 53, `R.internal`. */
  zone: string
  /** Id of the namespace of Cloud Map, `members.R.internal`. */
  namespace: string
  /** Answers requests of the web, the first of those that do. */
  balancer: WebPlace
  /** Answers on ports of their own; null where the rack was installed without: the first such port has it made. */
  networkBalancer: { arn: string; host: string } | null
  /** Id of the file system on which volumes lie. */
  fileSystem: string
  bucket: string
  /** Of CodeBuild, privileged, which runs the daemon's image; null where images are not built there. */
  buildProject: string | null
  /** Reference of the image that the init container runs. */
  toolImage: string
  /** Of KMS: what secrets at rest are kept by; the account's usual key when absent. */
  key?: string
  /** ARN of the boundary of every role that an app has. */
  roleBoundary?: string
  /** ARN of the role by which CloudFormation makes stacks of apps and services; as whoever calls it when absent. */
  stackRole?: string
}

/** What the engine of a rack in an account calls itself. */
export const accountEngine = 'ecs'

/** Whether a name may stand in that of a repository of ECR: its dashes stand alone, and none at the end (S). Pure. */
export const isRepositoryPart = (name: string): boolean => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)

/** An application load balancer; `https` is null where the rack has no certificate. */
export interface WebPlace {
  arn: string
  host: string
  /** ARNs. */
  listeners: { http: string; https: string | null }
}

/** One of the rack's. */
export interface WebBalancer extends WebPlace {
  /** 1 is the rack's own; those that are made later have stacks of their own, called so. */
  number: number
}

/** The stack of the network balancer of a rack that was installed without. */
export const portsStackName = (rack: string): string => `rack-${rack}-ports`

/** The stack of a further load balancer of the web; the rack's own is the first. */
export const webStackName = (rack: string, number: number): string => `${webStackPrefix(rack)}${number}`
export const webStackPrefix = (rack: string): string => `rack-${rack}-web-`
export const isWebStackName = (rack: string, name: string): boolean =>
  name.startsWith(webStackPrefix(rack)) && /^\d+$/.test(name.slice(webStackPrefix(rack).length))
